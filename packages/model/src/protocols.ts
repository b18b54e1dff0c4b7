import {
  type LocalizationControls,
  type LocalizationPair,
  type LocalizationResult,
  localization,
  localizationControls,
  nihControls,
  nihLocalization,
  patchControls,
  patchLocalization,
} from '@cxr-lens/eval';
import { METHODS, type MethodInfo, type MethodName } from './spec/index.ts';

/** A run by one protocol, and the controls by the same on the same pairs. */
export interface Measured {
  run: LocalizationResult;
  controls: LocalizationControls;
}

interface Options {
  seed: number;
  resamples: number;
}

const PROTOCOLS: Record<MethodInfo['protocols'][number], (pairs: readonly LocalizationPair[], options: Options) => Measured> = {
  paper: (pairs, options) => ({ run: localization(pairs, options), controls: localizationControls(pairs, options) }),
  nih: (pairs, options) => ({ run: nihLocalization(pairs, options), controls: nihControls(pairs, options) }),
  patches: (pairs, options) => ({ run: patchLocalization(pairs, options), controls: patchControls(pairs, options) }),
};

/** The pairs' maps by the method's protocols, the main one first. */
export function measure(method: MethodName, pairs: readonly LocalizationPair[], options: Options): [Measured, ...Measured[]] {
  const [main, ...others] = METHODS[method].protocols;
  return [PROTOCOLS[main](pairs, options), ...others.map((protocol) => PROTOCOLS[protocol](pairs, options))];
}
