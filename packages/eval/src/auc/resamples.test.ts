import { random } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { scoreCase, uniform } from '../testing.ts';
import { meanOfKnown, plainAuc, resampledAucs } from './resamples.ts';
import { numberClusters, weightedColumn } from './weighted.ts';

/** Pairs of a positive and a negative image in order, ties by half: each patient's images as often as it was drawn. */
function naiveAuc(scores: ArrayLike<number>, labels: ArrayLike<number>, images: readonly number[]): number {
  const positives = images.filter((image) => labels[image] === 1);
  const negatives = images.filter((image) => labels[image] === 0);
  let pairs = 0;
  for (const p of positives) {
    for (const n of negatives) pairs += scores[p]! > scores[n]! ? 2 : scores[p]! === scores[n]! ? 1 : 0;
  }
  return pairs / (2 * positives.length * negatives.length);
}

const PATIENTS = 23;
const { ids } = numberClusters(Array.from({ length: 150 }, (_, i) => String(i < PATIENTS ? i : Math.floor(uniform(3, i) * PATIENTS))));
const common = scoreCase({ seed: 1, n: 150, levels: 6, prevalence: 0.4 });
const rare = scoreCase({ seed: 2, n: 150, levels: 0, prevalence: 0.03 });
const edges = { scores: common.scores.map((value) => [-Infinity, -0, 0, 0.5, Infinity][Math.floor(value * 5)]!), labels: common.labels };
const cases = [common, rare, edges];
const columns = cases.map(({ scores, labels }) => weightedColumn(scores, labels, ids));

describe('resampledAucs', () => {
  // 1, 3 and 5 end within a pass over the images, 40 does not
  it.each([1, 3, 5, 40])('is exactly the AUC of the images drawn, of %i resamples', (resamples) => {
    const aucs = resampledAucs(columns, { patients: PATIENTS, resamples, seed: 9 });
    const rng = random(9);
    for (let r = 0; r < resamples; r++) {
      const drawn = Array.from({ length: PATIENTS }, () => rng.int(PATIENTS));
      const images = drawn.flatMap((patient) => Array.from(ids.keys()).filter((image) => ids[image] === patient));
      for (const [c, { scores, labels }] of cases.entries()) expect(aucs[c]![r]).toBe(naiveAuc(scores, labels, images));
    }
    expect(aucs.map(({ length }) => length)).toEqual(cases.map(() => resamples));
  });

  it('has no value in a resample without both classes', () => {
    const [values] = resampledAucs([weightedColumn([1, 2, 3], [0, 1, 0], Uint32Array.of(0, 1, 2))], {
      patients: 3,
      resamples: 60,
      seed: 1,
    });
    // AUC 1 or 0 or one half by the negatives drawn; NaN where patient 1 was not drawn, or alone
    const rng = random(1);
    for (const value of values!) {
      const drawn = [rng.int(3), rng.int(3), rng.int(3)];
      expect(Number.isNaN(value)).toBe(!drawn.includes(1) || drawn.every((patient) => patient === 1));
    }
    expect(values!.some(Number.isNaN)).toBe(true);
  });
});

describe('plainAuc', () => {
  it('counts every image once', () => {
    const images = Array.from(ids.keys());
    for (const [c, { scores, labels }] of cases.entries()) expect(plainAuc(columns[c]!, PATIENTS)).toBe(naiveAuc(scores, labels, images));
  });
});

describe('meanOfKnown', () => {
  it('leaves out what is no number', () => {
    expect(meanOfKnown([1, Number.NaN, 4])).toBe(2.5);
    expect(meanOfKnown([Number.NaN])).toBeNaN();
  });
});
