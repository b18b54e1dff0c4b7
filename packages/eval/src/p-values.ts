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
 * that p is never below 2 / (draws + 1): 2,000 draws are enough for Holm's correction over 14.
 * @param draws finite, at least one
 */
export function bootstrapP(draws: readonly number[]): number {
  let notAbove = 0;
  let notBelow = 0;
  for (const value of draws) {
    if (value <= ROUNDING) notAbove += 1;
    if (value >= -ROUNDING) notBelow += 1;
  }
  return Math.min(1, (2 * (1 + Math.min(notAbove, notBelow))) / (draws.length + 1));
}

/**
 * Adjusted p-values after Holm (1979): whoever calls a difference where the adjusted p is below 0.05 is wrong in any of them with a
 * probability of 5 % at most. Null, a test that could not be made, stays null and does not count.
 */
export function holm(pValues: readonly (number | null)[]): (number | null)[] {
  const order = [...pValues.keys()].filter((index) => pValues[index] !== null).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let largest = 0;
  for (const [rank, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (order.length - rank) * pValues[index]!));
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
