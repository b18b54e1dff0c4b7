import { checkScores } from './auc/auc.ts';

/** Fewer positives (or negatives) than this give no probability. */
const FEWEST_POSITIVES = 10;

/** probability = 1 / (1 + exp(-(a logit + b))), a > 0. */
export interface Platt {
  a: number;
  b: number;
}

/** What turns one finding's logit into a probability and a decision; nulls with the reason. */
export interface Calibration {
  platt: Platt | null;
  /** The point with the greatest Youden's J, as a probability (the unit of the answer) and as a logit: at or above it is positive. */
  operatingPoint: { probability: number; logit: number } | null;
  reason: string | null;
  positives: number;
  negatives: number;
}

/**
 * Platt scaling and operating point of one finding from the validation set.
 * Null with the reason under 10 images of either class, and where the logit does not rise with the finding (a <= 0): a probability
 * that falls as the logit rises would contradict its own explanation.
 * @throws CxrError BAD_INPUT for unequal lengths, NaN logits, labels other than 0 and 1
 */
export function calibrate(logits: ArrayLike<number>, labels: ArrayLike<number>): Calibration {
  checkScores(logits, labels);
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i]!;
  const negatives = labels.length - positives;
  const none = (reason: string): Calibration => ({ platt: null, operatingPoint: null, reason, positives, negatives });
  if (positives < FEWEST_POSITIVES) return none(`${positives} positive validation images: under ${FEWEST_POSITIVES}`);
  if (negatives < FEWEST_POSITIVES) return none(`${negatives} negative validation images: under ${FEWEST_POSITIVES}`);
  const platt = plattScale(logits, labels);
  if (!(platt.a > 0)) return none('on the validation images the logit does not rise with the finding');
  const logit = operatingPoint(logits, labels);
  return { platt, operatingPoint: { probability: probability(logit, platt), logit }, reason: null, positives, negatives };
}

/** Platt-scaled probability of a logit. */
export function probability(logit: number, { a, b }: Platt): number {
  return 1 / (1 + Math.exp(-(a * logit + b)));
}

/**
 * Platt's fit (1999) by Newton's method with backtracking, after Lin, Lin and Weng 2007. Targets are Platt's, (P + 1) / (P + 2) and
 * 1 / (N + 2), which keep the fit finite when the classes are separable. Both classes must be there.
 */
export function plattScale(logits: ArrayLike<number>, labels: ArrayLike<number>): Platt {
  checkScores(logits, labels);
  const n = logits.length;
  let positives = 0;
  for (let i = 0; i < n; i++) positives += labels[i]!;
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (n - positives + 2);
  const target = (i: number) => (labels[i] === 1 ? high : low);
  const loss = (a: number, b: number) => {
    let total = 0;
    for (let i = 0; i < n; i++) {
      const z = a * logits[i]! + b;
      // -t log p - (1 - t) log(1 - p) without overflow
      total += Math.max(z, 0) - target(i) * z + Math.log1p(Math.exp(-Math.abs(z)));
    }
    return total;
  };
  let a = 0;
  let b = Math.log((positives + 1) / (n - positives + 1));
  let value = loss(a, b);
  for (let step = 0; step < 100; step++) {
    let [ga, gb, haa, hab, hbb] = [0, 0, 1e-12, 0, 1e-12]; // Lin's ridge keeps the Hessian regular
    for (let i = 0; i < n; i++) {
      const x = logits[i]!;
      const p = probability(x, { a, b });
      const error = p - target(i);
      const curvature = p * (1 - p);
      ga += error * x;
      gb += error;
      haa += curvature * x * x;
      hab += curvature * x;
      hbb += curvature;
    }
    if (Math.abs(ga) < 1e-9 && Math.abs(gb) < 1e-9) break;
    const determinant = haa * hbb - hab * hab;
    const da = -(hbb * ga - hab * gb) / determinant;
    const db = -(haa * gb - hab * ga) / determinant;
    const slope = ga * da + gb * db;
    let size = 1;
    let next = loss(a + da, b + db);
    while (next > value + 1e-4 * size * slope && size > 1e-10) {
      size /= 2;
      next = loss(a + size * da, b + size * db);
    }
    if (!(next <= value)) break; // no progress in double precision: converged
    a += size * da;
    b += size * db;
    value = next;
  }
  return { a, b };
}

/**
 * The score that maximises Youden's J = sensitivity + specificity - 1 when scores at or above it are called positive: one of the
 * scores; among equal J the highest. Both classes must be there.
 */
export function operatingPoint(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  checkScores(scores, labels);
  const values = Float64Array.from(scores);
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!);
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i]!;
  const negatives = labels.length - positives;
  let best = -Infinity;
  let point = Number.NaN;
  let truePositives = 0;
  let falsePositives = 0;
  for (let i = 0; i < order.length; i++) {
    if (labels[order[i]!] === 1) truePositives += 1;
    else falsePositives += 1;
    if (i + 1 < order.length && values[order[i + 1]!] === values[order[i]!]) continue;
    const j = truePositives / positives - falsePositives / negatives;
    if (j <= best) continue;
    best = j;
    point = values[order[i]!]!;
  }
  return point;
}
