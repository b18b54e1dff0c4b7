import { BOXED_FINDINGS, CxrError } from '@cxr-lens/data';
import { type PairIou, singlePass } from './pairs.ts';
import type { LocalizationResult } from './types.ts';

/**
 * One curve a finding from several runs, each scored on its own pairs: Supervised trains on four fifths of the boxed patients and is
 * scored on the rest, so that its five folds together score every pair once. The band is the bootstrap over all their patients.
 * @throws CxrError BAD_INPUT for nothing to pool, different protocols or seeds, a protocol with folds of its own, a pair that occurs twice
 */
export function poolLocalization(results: readonly LocalizationResult[], { resamples }: { resamples?: number } = {}): LocalizationResult {
  const [first] = results;
  if (!first) throw new CxrError('BAD_INPUT', 'no result to pool: expected at least one');
  const other = results.find(({ protocol, seed }) => protocol.name !== first.protocol.name || seed !== first.seed);
  if (other) {
    const name = ({ protocol, seed }: LocalizationResult) => `protocol ${protocol.name}, seed ${seed}`;
    throw new CxrError('BAD_INPUT', `results of ${name(first)} and of ${name(other)} to pool: expected one protocol and one seed`);
  }
  const pairs = results.flatMap(({ protocol, findings }) =>
    BOXED_FINDINGS.flatMap((finding) =>
      findings[finding].scored.map(({ image, patientId, ious }): PairIou => {
        const [iou] = ious;
        if (ious.length !== 1 || iou === null || iou === undefined || 'iobb' in findings[finding]) {
          throw new CxrError(
            'BAD_INPUT',
            `protocol ${protocol.name} cannot be pooled: expected one that scores every pair once, by IoU alone`,
          );
        }
        return { image, patientId, finding, iou };
      }),
    ),
  );
  const threshold = first.findings[BOXED_FINDINGS[0]].foldThresholds[0] ?? null;
  return singlePass(pairs, { protocol: first.protocol, seed: first.seed, resamples, threshold });
}
