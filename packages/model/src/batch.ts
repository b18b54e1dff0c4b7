import { FINDINGS, type PreparedData } from '@cxr-lens/data';
import type { Position } from './checkpoint.ts';
import { tf } from './engine/tensorflow.ts';
import { imageBatch, labelsOf } from './images.ts';
import { batchBeta } from './losses/bce.ts';
import { warmUpAt } from './losses/elbo.ts';
import { boxPatches } from './losses/patch.ts';
import type { Batch } from './methods.ts';
import type { Network } from './networks/network.ts';
import { codeNoise, mirroredPositions, perturbedPositions } from './order.ts';
import { METHODS, type Run, type TrainOptions } from './spec/index.ts';

interface Step {
  data: PreparedData;
  run: Run;
  network: Network;
  position: Pick<Position, 'epoch' | 'step'>;
}

/** The images of one step in `accumulation` equal parts; which of them may be perturbed, and beta, are of them all. */
export function batchesOf(step: Step, rows: readonly number[]): Batch[] {
  const { options } = step.run;
  const all = { seed: options.seed, ...step.position };
  const perturbed = perturbedPositions(rows.length, options.perturbedFraction, all);
  const beta = options.positiveWeight === 'batch' ? batchBeta(labelsOf(step.data, rows)) : 1;
  const length = rows.length / options.accumulation;
  return Array.from({ length: options.accumulation }, (_, part) => {
    const [from, to] = [part * length, (part + 1) * length];
    // A batch in one part draws what it drew before there were parts.
    const at = { ...all, step: part === 0 ? all.step : `${all.step}.${part}` };
    return { ...batchOf(step, rows.slice(from, to), at), beta, perturbed: perturbed.slice(from, to) };
  });
}

interface At {
  seed: number;
  epoch: number;
  step: number | string;
}

/** The images of one part, and what the method's loss needs of them beside the labels. */
function batchOf({ data, run, network, position }: Step, rows: readonly number[], at: At): Omit<Batch, 'beta' | 'perturbed'> {
  const { options, parent } = run;
  const { loss } = METHODS[run.method];
  const x = imageBatch(data, rows);
  return {
    x: options.flip === 'horizontal' ? mirrored(x, mirroredPositions(rows.length, at)) : x,
    y: tf.tensor2d(Float32Array.from(labelsOf(data, rows)), [rows.length, FINDINGS.length]),
    seed: `attack/${at.seed}/${at.epoch}/${at.step}`,
    ...(loss === 'patches' ? { boxes: boxBatch(data, rows, options) } : {}),
    ...(loss === 'elbo' ? { noise: noiseOf(rows.length, network, at) } : {}),
    ...(loss === 'elbo' && parent === null ? { warmUp: warmUpAt(position, run) } : {}),
  };
}

/** The chosen images, left and right exchanged, and the others as they are: [B, S, S, 1]. */
export function mirrored(x: tf.Tensor4D, chosen: Uint8Array): tf.Tensor4D {
  return tf.where(tf.tensor4d(chosen, [chosen.length, 1, 1, 1], 'bool'), tf.reverse(x, 2), x);
}

/** [B, P, P, 14], 1 where a patch overlaps the box of that finding; undefined where no image has one. */
function boxBatch(data: PreparedData, rows: readonly number[], { patchGrid }: TrainOptions): tf.Tensor4D | undefined {
  const boxes = rows.map((row) => data.images[row]!.boxes);
  if (boxes.every((own) => own.length === 0)) return undefined;
  const values = new Float32Array(rows.length * patchGrid * patchGrid * FINDINGS.length);
  for (const [slot, own] of boxes.entries()) values.set(boxPatches(own, patchGrid), (slot * values.length) / rows.length);
  return tf.tensor4d(values, [rows.length, patchGrid, patchGrid, FINDINGS.length]);
}

function noiseOf(images: number, { noiseSize }: Network, at: At): tf.Tensor2D {
  return tf.tensor2d(codeNoise(images, noiseSize, at), [images, noiseSize]);
}
