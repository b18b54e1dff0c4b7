import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { z } from 'zod';
import type { Network } from './networks/network.ts';
import type { Optimiser } from './optimiser.ts';
import { type RunFiles, writeAtomic } from './run-folder.ts';
import { decodeSafetensors, encodeSafetensors, type HostTensor } from './safetensors.ts';
import { EpochSchema } from './spec/index.ts';
import { readNetwork, readVariables, setNetwork, setVariables } from './weights.ts';

/**
 * Where a training is. With the seed this is also its random state: order, perturbed and mirrored images and noise are functions of (seed, epoch, step),
 * so nothing else has to be kept for the next step to draw what it would have drawn.
 */
const PositionSchema = z.object({
  /** The epoch under way, from 1. */
  epoch: z.int().min(1),
  /** Steps of it that are done. */
  step: z.int().min(0),
  /** Sum of their losses. */
  lossSum: z.number(),
  seconds: z.number(),
  bestEpoch: z.int().nullable(),
  epochs: z.array(EpochSchema),
});

export type Position = z.infer<typeof PositionSchema>;

export const START: Position = { epoch: 1, step: 0, lossSum: 0, seconds: 0, bestEpoch: null, epochs: [] };

const lastFile = (files: RunFiles): string => path.join(files.checkpoints, 'last.safetensors');
const bestFile = (files: RunFiles, epoch: number): string => path.join(files.checkpoints, `best-${epoch}.safetensors`);

/** Weights, moving averages, the optimiser's state and position in one file, so that they are of one moment whenever the process dies. */
export function writeCheckpoint(files: RunFiles, network: Network, optimiser: Optimiser, position: Position): void {
  const tensors = new Map([...readNetwork(network), ...readVariables(optimiser.state)]);
  writeAtomic(lastFile(files), encodeSafetensors(tensors, { position: JSON.stringify(position) }));
}

/** Sets network and optimiser to the last checkpoint and returns its position; null where there is none. CxrError CORRUPT. */
export function restoreCheckpoint(files: RunFiles, network: Network, optimiser: Optimiser): Position | null {
  const file = lastFile(files);
  if (!existsSync(file)) return null;
  const { tensors, metadata } = decodeSafetensors(readFileSync(file), file);
  const position = PositionSchema.safeParse(JSON.parse(metadata['position'] ?? 'null'));
  if (!position.success) throw new CxrError('CORRUPT', `${file} does not say where the training was; train into a new folder.`);
  setNetwork(network, tensors, file);
  setVariables(optimiser.state, tensors, file);
  return position.data;
}

/** Keeps the weights of an epoch; written before the checkpoint that calls it the best. */
export function writeBest(files: RunFiles, network: Network, epoch: number): void {
  writeAtomic(bestFile(files, epoch), encodeSafetensors(readNetwork(network)));
}

export function readBest(files: RunFiles, epoch: number): Map<string, HostTensor> {
  const file = bestFile(files, epoch);
  if (!existsSync(file)) throw new CxrError('CORRUPT', `${file} is missing: the weights of the best epoch; train into a new folder.`);
  return decodeSafetensors(readFileSync(file), file).tensors;
}

/** Removes the weights of all epochs but the best one, also those that a killed process left; null: of all. */
export function removeBest(files: RunFiles, keep: number | null): void {
  if (!existsSync(files.checkpoints)) return;
  const kept = keep === null ? null : path.basename(bestFile(files, keep));
  for (const name of readdirSync(files.checkpoints)) {
    if (name.startsWith('best-') && name !== kept) rmSync(path.join(files.checkpoints, name), { force: true });
  }
}
