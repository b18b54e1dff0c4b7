import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { cacheHome } from './engine/cache.ts';
import { engineInfo, isGpu } from './engine/tensorflow.ts';
import type { Network } from './networks/network.ts';
import { writeAtomic } from './run-folder.ts';

type Kind = Pick<Network, 'name' | 'inputSize' | 'precision'>;

/** Images of a pass among which a machine chooses, ascending. */
export function passSizes(): readonly number[] {
  return isGpu() ? [8, 32, 128] : [8, 32];
}

// A larger pass takes more memory: it has to be worth it.
const GAIN = 1.05;

/** The size with which an image takes least time. */
export function fastest(secondsAnImage: ReadonlyMap<number, number>): number {
  const [first, ...larger] = [...secondsAnImage].sort(([a], [b]) => a - b);
  return larger.reduce((best, next) => (best[1] > GAIN * next[1] ? next : best), first!)[0];
}

/** What this machine was found to be fastest with for such networks; until then, what others were: 32 large images leave a CPU's cache. */
export function keptPassSize(network: Kind): { size: number; measured: boolean } {
  try {
    const size = Number(readFileSync(fileOf(network), 'utf8'));
    if (passSizes().includes(size)) return { size, measured: true };
  } catch {
    // never measured here
  }
  return { size: isGpu() || network.inputSize < 128 ? 32 : 8, measured: false };
}

/** For all processes of this user. Where it cannot be written it is measured again. */
export function keepPassSize(network: Kind, size: number): void {
  try {
    writeAtomic(fileOf(network), `${size}\n`);
  } catch {
    // costs the next process a few seconds
  }
}

function fileOf({ name, inputSize, precision = 'float32' }: Kind): string {
  const { folder } = engineInfo();
  const processors = cpus().map(({ model }) => model);
  const key = createHash('sha256').update(JSON.stringify([name, inputSize, precision, path.basename(folder), processors]));
  return path.join(cacheHome(), 'pass-sizes', key.digest('hex').slice(0, 24));
}
