import {
  centreIous,
  centrePatchIous,
  type LocalizationControls,
  type LocalizationPair,
  type LocalizationResult,
  localizationControls,
  localizationOfIous,
  nihControls,
  nihLocalization,
  PAPER_PROTOCOL,
  PATCHES_PROTOCOL,
  type PairIous,
  pairIous,
  patchControls,
  patchIous,
  patchLocalization,
} from '@cxr-lens/eval';
import { type IousFile, METHODS, type MethodInfo, type MethodName } from './spec/index.ts';

/** A run by one protocol, and the controls by the same on the same pairs. */
export interface Measured {
  run: LocalizationResult;
  controls: LocalizationControls;
}

interface Options {
  seed: number;
  resamples: number;
}

/** The pairs' IoUs by the method's main protocol, of the run and of the centre prior. */
export interface MainIous {
  protocol: IousFile['protocol'];
  run: PairIous[];
  centre: PairIous[];
}

type Main = IousFile['protocol']['name'];

const IOUS: Record<Main, (pairs: readonly LocalizationPair[]) => MainIous> = {
  paper: (pairs) => ({
    protocol: { ...PAPER_PROTOCOL, name: 'paper' },
    run: pairs.map((pair) => pairIous(pair)),
    centre: centreIous(pairs),
  }),
  patches: (pairs) => ({ protocol: { ...PATCHES_PROTOCOL, name: 'patches' }, run: patchIous(pairs), centre: centrePatchIous(pairs) }),
};

/** @throws CxrError BAD_INPUT for a map that does not fit its shape or is not finite */
export function iousOf(method: MethodName, pairs: readonly LocalizationPair[]): MainIous {
  return IOUS[METHODS[method].protocols[0]](pairs);
}

const MEASURES: Record<Main, (pairs: readonly LocalizationPair[], options: Options, ious: readonly PairIous[]) => Measured> = {
  paper: (pairs, options, ious) => ({ run: localizationOfIous(ious, options), controls: localizationControls(pairs, options) }),
  patches: (pairs, options) => ({ run: patchLocalization(pairs, options), controls: patchControls(pairs, options) }),
};

/** The pairs' maps by the method's protocols, the main one first, with the IoUs by that one. */
export function measure(
  method: MethodName,
  pairs: readonly LocalizationPair[],
  options: Options,
): { ious: MainIous; measured: [Measured, ...Measured[]] } {
  const { protocols }: MethodInfo = METHODS[method];
  const [main, ...others] = protocols;
  const ious = iousOf(method, pairs);
  const nih = (): Measured => ({ run: nihLocalization(pairs, options), controls: nihControls(pairs, options) });
  return { ious, measured: [MEASURES[main](pairs, options, ious.run), ...others.map(nih)] };
}
