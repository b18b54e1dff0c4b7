/**
 * The inputs of the reference computations in `reference/`: the same formula as `reference/formula.py`, so that only results are
 * committed. For tests only.
 */

import { BOXED_FINDINGS } from '@cxr-lens/data';
import aucReference from '../reference/auc.json' with { type: 'json' };
import localizationReference from '../reference/localization.json' with { type: 'json' };
import { PAPER_PROTOCOL, PATCHES_PROTOCOL } from './localization/protocol.ts';
import type { IouTable, LocalizationPair, PairIous } from './localization/types.ts';

/** Results of `reference/auc.py` and `reference/localization.py`. */
export { aucReference, localizationReference };

/** Uniform in [0, 1), a multiple of 2^-32: a hash of seed and index. */
export function uniform(seed: number, index: number): number {
  let h = (Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 0) / 0x100000000;
}

export interface ScoreCase {
  seed: number;
  n: number;
  /** Scores are rounded down to multiples of 1 / levels: ties. 0: as they are. */
  levels: number;
  prevalence: number;
}

/** Scores that know something of their labels. */
export function scoreCase({ seed, n, levels, prevalence }: ScoreCase): { scores: Float64Array; labels: Uint8Array } {
  const scores = new Float64Array(n);
  const labels = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    labels[i] = uniform(seed + 1000, i) < prevalence ? 1 : 0;
    const score = (uniform(seed, i) + 0.25 * labels[i]!) / 1.25;
    scores[i] = levels > 0 ? Math.floor(score * levels) / levels : score;
  }
  return { scores, labels };
}

export interface PairCase extends ScoreCase {
  /** How much of the first score is in the second. */
  share: number;
}

/** Two scores of the same images. */
export function pairCase(input: PairCase): { scoresA: Float64Array; scoresB: Float64Array; labels: Uint8Array } {
  const { seed, levels, share } = input;
  const { scores: scoresA, labels } = scoreCase(input);
  const scoresB = scoresA.map((first, i) => {
    const score = (uniform(seed + 2000, i) + share * first) / (1 + share);
    return levels > 0 ? Math.floor(score * levels) / levels : score;
  });
  return { scoresA, scoresB, labels };
}

/** [size * size] map values, multiples of 2^-16: noise, raised where the cell's centre lies in the box by `lift` (a multiple of 2^-16). */
export function noiseMap(seed: number, { size, box, lift }: { size: number; box: BoxCase; lift: number }): Float32Array {
  const map = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const x = ((j + 0.5) * 1024) / size;
      const y = ((i + 0.5) * 1024) / size;
      const inside = x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
      map[i * size + j] = Math.floor(uniform(seed, i * size + j) * 65536) / 65536 + (inside ? lift : 0);
    }
  }
  return map;
}

interface BoxCase {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A box inside the 1024 x 1024 image, sides 64 ... 512. */
export function boxCase(seed: number): BoxCase {
  const width = 64 + Math.floor(uniform(seed, 1) * 448);
  const height = 64 + Math.floor(uniform(seed, 2) * 448);
  const x = Math.floor(uniform(seed, 3) * (1024 - width) * 8) / 8;
  const y = Math.floor(uniform(seed, 4) * (1024 - height) * 8) / 8;
  return { x, y, width, height };
}

/** As pairs_of in reference/localization.py: 34 images of 23 patients; the last findings are rare, the last map is constant. */
export function referencePairs(seed: number): LocalizationPair[] {
  const pairs: LocalizationPair[] = [];
  const rates = [0.9, 0.8, 0.5, 0.25, 0.12, 0.03, 0.0, 0.04];
  for (let image = 0; image < 34; image++) {
    const patientId = String(1 + (image % 23));
    for (const [j, finding] of BOXED_FINDINGS.entries()) {
      if (uniform(seed, image * 8 + j) >= rates[j]!) continue;
      const own = seed + 10 + image * 8 + j;
      const box = boxCase(own);
      const size = [28, 7][image % 2]!;
      const map = image < 33 ? noiseMap(own, { size, box, lift: [0, 0.25, 0.5, 1][image % 4]! }) : new Float32Array(size * size).fill(1);
      const name = `${patientId.padStart(8, '0')}_${String(image).padStart(3, '0')}.png`;
      pairs.push({ image: name, patientId, finding, box, map, height: size, width: size });
    }
  }
  return pairs;
}

export interface VerdictCase {
  seed: number;
  /** One a finding. */
  levels: readonly number[];
  columns: 1 | 256;
}

/** As `table` in reference/verdict.py: patients 0 to 24 have boxes, 23 and 24 no pair; one column holds the pairs of patients under 12. */
export function verdictTable({ seed, levels, columns }: VerdictCase): IouTable {
  const counts = [40, 34, 28, 16, 12, 10, 9, 0];
  const pairs = BOXED_FINDINGS.flatMap((finding, j) =>
    Array.from({ length: counts[j]! }, (_, i): PairIous[] => {
      const patient = Math.floor(uniform(7, 100 * j + i) * 23);
      if (columns === 1 && patient >= 12) return [];
      const best = Math.floor(256 * uniform(seed + j, i));
      const top = Math.min(1, levels[j]! * (0.7 * uniform(900 + j, i) + 0.3 * uniform(seed + 40 + j, i)));
      const ious =
        columns === 1 ? Float64Array.of(top) : Float64Array.from({ length: 256 }, (_, t) => top * (1 - Math.abs(t - best) / 256));
      return [{ image: `${j}-${String(i).padStart(2, '0')}.png`, patientId: String(patient), finding, ious }];
    }).flat(),
  );
  const protocol = columns === 1 ? PATCHES_PROTOCOL : PAPER_PROTOCOL;
  return { protocol, patients: Array.from({ length: 25 }, (_, patient) => String(patient)), pairs };
}

/** A table of a test's own pairs, as of a data set in which no patient but those of `all` has a box. */
export function iouTable(pairs: readonly PairIous[], all: readonly Pick<PairIous, 'patientId'>[] = pairs): IouTable {
  const once = pairs.every(({ ious }) => ious.length === 1);
  return { protocol: once ? PATCHES_PROTOCOL : PAPER_PROTOCOL, patients: [...new Set(all.map(({ patientId }) => patientId))], pairs };
}
