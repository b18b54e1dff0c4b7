import { random } from '@cxr-lens/data';

/**
 * Order of the training images in one epoch, which of each batch are perturbed and mirrored, and the noise of codes: functions of (seed,
 * epoch, step) alone. A checkpoint's random state is its position, and a resumed run draws what the uninterrupted one would have drawn.
 */
export function epochOrder(rows: readonly number[], seed: number, epoch: number): number[] {
  return random(`order/${seed}/${epoch}`).shuffle(rows);
}

/** Steps of an epoch: the last incomplete batch is dropped. */
export function stepsOf(images: number, batchSize: number): number {
  return Math.floor(images / batchSize);
}

/** floor(batchSize * fraction) positions of the batch, drawn anew each epoch and step: [batchSize], 1 where perturbed. */
export function perturbedPositions(batchSize: number, fraction: number, at: { seed: number; epoch: number; step: number }): Uint8Array {
  const positions = Array.from({ length: batchSize }, (_, index) => index);
  const chosen = random(`perturb/${at.seed}/${at.epoch}/${at.step}`)
    .shuffle(positions)
    .slice(0, Math.floor(batchSize * fraction));
  const mask = new Uint8Array(batchSize);
  for (const position of chosen) mask[position] = 1;
  return mask;
}

/** Standard normal noise of a step's codes, drawn anew each epoch and step: [images * length]. */
export function codeNoise(images: number, length: number, at: { seed: number; epoch: number; step: number | string }): Float32Array {
  const { normal } = random(`code/${at.seed}/${at.epoch}/${at.step}`);
  return Float32Array.from({ length: images * length }, () => normal());
}

/** Each image with a chance of one half, drawn anew each epoch and step: [images], 1 where mirrored. */
export function mirroredPositions(images: number, at: { seed: number; epoch: number; step: number | string }): Uint8Array {
  const { next } = random(`flip/${at.seed}/${at.epoch}/${at.step}`);
  return Uint8Array.from({ length: images }, () => (next() < 0.5 ? 1 : 0));
}

/** The fixed half of the validation set that the mixture's loss perturbs: positions in the validation set, ascending. */
export function perturbedHalf(images: number, fraction: number, seed: number): number[] {
  const positions = Array.from({ length: images }, (_, index) => index);
  return random(`perturb-validation/${seed}`)
    .shuffle(positions)
    .slice(0, Math.floor(images * fraction))
    .sort((a, b) => a - b);
}
