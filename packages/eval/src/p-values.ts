/** Below this a p-value is taken as evidence. */
export const ALPHA = 0.05;

/** Sums of fold means differ in their last bits where the accuracies are equal. */
const ROUNDING = 1e-12;

/** Two-sided p of a standard normal deviate: erfc(|z| / sqrt 2). */
export function normalP(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2);
}

/**
 * Two-sided p of a difference from its bootstrap draws: twice the smaller share of draws on the other side of zero, the percentile
 * interval turned round. A draw of zero counts on both sides, and one draw is added to both (Davison and Hinkley 1997, section 4.2), so
 * that p is never below 2 / (draws + 1).
 * @param draws finite, at least one
 */
export function bootstrapP(draws: readonly number[] | Float64Array): number {
  let notAbove = 0;
  let notBelow = 0;
  for (const value of draws) {
    if (value <= ROUNDING) notAbove += 1;
    if (value >= -ROUNDING) notBelow += 1;
  }
  return Math.min(1, (2 * (1 + Math.min(notAbove, notBelow))) / (draws.length + 1));
}

/** An adjusted p-value: that of the test itself, or of one with a smaller p where that is larger. */
export interface HolmP {
  adjustedP: number;
  /** p of the test that the adjusted p comes from. */
  p: number;
  /** Holm's factor of that p. */
  factor: number;
}

/**
 * Adjusted p-values after Holm (1979): whoever calls a difference where the adjusted p is below 0.05 is wrong in any of them with a
 * probability of 5 % at most. Null, a test that could not be made, stays null and does not count.
 */
export function holm(pValues: readonly (number | null)[]): (HolmP | null)[] {
  const order = [...pValues.keys()].filter((index) => pValues[index] !== null).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted: (HolmP | null)[] = pValues.map(() => null);
  let largest: HolmP | null = null;
  for (const [rank, index] of order.entries()) {
    const [p, factor] = [pValues[index]!, order.length - rank];
    const own: HolmP = { adjustedP: Math.min(1, factor * p), p, factor };
    largest = largest && largest.adjustedP >= own.adjustedP ? largest : own;
    adjusted[index] = largest;
  }
  return adjusted;
}

/** Complementary error function of x >= 0: the series of erf below 2.5, the continued fraction above (Abramowitz and Stegun 7.1.6, 7.1.14). */
function erfc(x: number): number {
  const density = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (x < 2.5) {
    let term = x;
    let total = x;
    for (let n = 1; term > total * Number.EPSILON; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      total += term;
    }
    return 1 - 2 * density * total;
  }
  let fraction = x;
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction; // 60 terms: converged to double precision from 2.5 on
  return density / fraction;
}
