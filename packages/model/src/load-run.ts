import { CxrError, FINDINGS, isPreprocessingVersion } from '@cxr-lens/data';
import { goldenLogits, isGolden } from './card.ts';
import { networkOf } from './networks/build.ts';
import type { Network } from './networks/network.ts';
import { readBytes, readCard, readRun, runFiles, sha256 } from './run-folder.ts';
import { decodeSafetensors, type HostTensor } from './safetensors.ts';
import type { Card, Normalisation, Run } from './spec/index.ts';
import { setNetwork } from './weights.ts';

/** A trained network with its papers. */
export interface LoadedRun {
  folder: string;
  run: Run;
  card: Card;
  network: Network;
  dispose(): void;
}

/** The network of a run, with seeded initial weights, or with none yet (`seed` null). */
export function buildNetwork(
  run: Run,
  { mean, std }: Pick<Normalisation, 'mean' | 'std'>,
  { seed }: { seed: number | null } = run,
): Network {
  return networkOf(run.network, { ...run.options, preset: run.preset, mean, std, seed });
}

/** Weights of a finished run, checked against its card. CxrError NOT_FOUND, CORRUPT. */
export function readWeights(folder: string): { run: Run; card: Card; tensors: Map<string, HostTensor> } {
  const run = readRun(folder);
  const card = readCard(folder);
  const file = runFiles(folder).weights;
  const bytes = readBytes(
    file,
    () => new CxrError('CORRUPT', `${file} is missing beside its card; take the run from a backup or train again.`),
  );
  const found = sha256(bytes);
  if (found !== card.weightsSha256 || found !== run.weightsSha256) {
    throw new CxrError(
      'CORRUPT',
      `${file} has SHA-256 ${found}, its card says ${card.weightsSha256}: the weights were changed after training; take them from a backup or train again.`,
    );
  }
  return { run, card, tensors: decodeSafetensors(bytes, file).tensors };
}

/**
 * Loads a finished run: the SHA-256 of its weights is checked exactly, the logits of the golden input within the card's tolerance.
 * CxrError NOT_FOUND (no run, not finished), CORRUPT (changed bytes), UNSUPPORTED (made by other preprocessing or for other findings).
 */
export function loadRun(folder: string): LoadedRun {
  const { run, card, tensors } = readWeights(folder);
  if (!isPreprocessingVersion(card.preprocessingVersion)) {
    throw new CxrError(
      'UNSUPPORTED',
      `${folder} wants preprocessing ${card.preprocessingVersion}, which this program does not know: train again, or use the program that made it.`,
    );
  }
  if (card.findings.some((finding, index) => finding !== FINDINGS[index])) {
    throw new CxrError('UNSUPPORTED', `${folder} has the findings in another order than this program: train again.`);
  }
  const network = buildNetwork(run, card.normalisation, { seed: null });
  try {
    setNetwork(network, tensors, runFiles(folder).weights);
    const logits = goldenLogits(network, card.golden.seed);
    if (!isGolden(card.golden, logits)) {
      throw new CxrError(
        'CORRUPT',
        `${folder}: the golden input gives ${logits[0]!.toFixed(5)} ..., its card says ${card.golden.logits[0]!.toFixed(5)} ...: this engine computes something else.`,
      );
    }
  } catch (error) {
    network.dispose();
    throw error;
  }
  return { folder, run, card, network, dispose: () => network.dispose() };
}
