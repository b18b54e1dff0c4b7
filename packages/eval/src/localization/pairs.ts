import { BOXED_FINDINGS, type BoxedFinding, CxrError } from '@cxr-lens/data';
import { curveOf } from './curve.ts';
import type { LocalizationResult, Protocol } from './types.ts';

/** Of every bootstrap over patients. */
export const RESAMPLES = 2000;

interface Named {
  image: string;
  finding: BoxedFinding;
}

/** A pair that its protocol scores once. */
export interface PairIou extends Named {
  patientId: string;
  iou: number;
}

export interface SinglePass {
  protocol: Protocol;
  seed: number;
  resamples?: number | undefined;
  /** The one threshold of all pairs; null where the protocol has none. */
  threshold?: number | null;
}

/** Curves of a protocol without folds: every pair is scored once. */
export function singlePass(
  pairs: readonly PairIou[],
  { protocol, seed, resamples = RESAMPLES, threshold = null }: SinglePass,
): LocalizationResult {
  checkUnique(pairs);
  const findings = byFinding((finding) => {
    const own = pairs.filter((pair) => pair.finding === finding);
    const scored = own.map(({ image, patientId, iou }) => ({ image, patientId, ious: [iou] }));
    return curveOf({ finding, scored, folds: 1, foldThresholds: [threshold], seed, resamples });
  });
  return { protocol, seed, findings };
}

/** One value for each boxed finding, in their order. */
export function byFinding<T>(make: (finding: BoxedFinding) => T): Record<BoxedFinding, T> {
  return Object.fromEntries(BOXED_FINDINGS.map((finding) => [finding, make(finding)])) as Record<BoxedFinding, T>;
}

/** @throws CxrError BAD_INPUT for an (image, finding) pair that occurs twice */
export function checkUnique(pairs: readonly Named[]): void {
  const seen = new Set<string>();
  for (const { image, finding } of pairs) {
    const key = `${image}\n${finding}`;
    if (seen.has(key)) throw new CxrError('BAD_INPUT', `two ${finding} pairs of ${image}: expected one (image, finding) pair once`);
    seen.add(key);
  }
}

/** Errors of `measure` say whose map it was. */
export function namingMap<T>({ image, finding }: Named, measure: () => T): T {
  try {
    return measure();
  } catch (error) {
    if (error instanceof CxrError) throw new CxrError(error.code, `${finding} map of ${image}: ${error.message}`, { cause: error });
    throw error;
  }
}
