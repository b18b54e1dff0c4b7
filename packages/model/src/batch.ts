import { FINDINGS, type PreparedData } from '@cxr-lens/data';
import { drawStarts } from './attack.ts';
import type { Position } from './checkpoint.ts';
import { type HostArray, type HostArrays, hostScalar } from './engine/host-array.ts';
import { tf } from './engine/tensorflow.ts';
import { labelArray, pixelArray, toImages } from './images.ts';
import { batchBeta } from './losses/bce.ts';
import { warmUpAt } from './losses/elbo.ts';
import { boxPatches } from './losses/patch.ts';
import type { Batch } from './methods.ts';
import type { Network } from './networks/network.ts';
import { codeNoise, mirroredPositions, perturbedPositions } from './order.ts';
import { METHODS, type Run, type TrainOptions } from './spec/index.ts';
import { attackOptions, threatOf } from './threats/threats.ts';

/**
 * A batch before it is tensors: `pixels`, `labels` and `beta`, and of `mirrored`, `boxes`, `noise`, `warmUp`, `chosen`, `epsilon` what the
 * run has a use for, as `Batch` says; `start0.1` is the second of what the threat has drawn for the first candidate.
 */
export type BatchArrays = HostArrays & Readonly<Record<'pixels' | 'labels' | 'beta', HostArray>>;

interface Step {
  data: PreparedData;
  run: Run;
  network: Network;
  position: Pick<Position, 'epoch' | 'step'>;
}

/** The images of one step in `accumulation` equal parts; which of them may be perturbed, and beta, are of them all. */
export function batchesOf(step: Step, rows: readonly number[]): BatchArrays[] {
  const { options } = step.run;
  const all = { seed: options.seed, ...step.position };
  const perturbed = perturbedPositions(rows.length, options.perturbedFraction, all);
  const beta = options.positiveWeight === 'batch' ? batchBeta(labelArray(step.data, rows).data) : 1;
  const length = rows.length / options.accumulation;
  return Array.from({ length: options.accumulation }, (_, part) => {
    const [from, to] = [part * length, (part + 1) * length];
    // A batch in one part draws what it drew before there were parts.
    const at = { ...all, step: part === 0 ? all.step : `${all.step}.${part}` };
    const seed = `attack/${at.seed}/${at.epoch}/${at.step}`;
    return {
      ...batchOf(step, rows.slice(from, to), { at, beta }),
      ...perturbationArrays(options, perturbed.slice(from, to), { side: step.data.size, seed }),
    };
  });
}

interface At {
  seed: number;
  epoch: number;
  step: number | string;
}

/** The images of one part, and what the method's loss needs of them beside the labels. */
function batchOf({ data, run, network, position }: Step, rows: readonly number[], { at, beta }: { at: At; beta: number }): BatchArrays {
  const { options, parent } = run;
  const { loss } = METHODS[run.method];
  return {
    pixels: pixelArray(data, rows),
    labels: labelArray(data, rows),
    beta: hostScalar(beta),
    ...(options.flip === 'horizontal' ? { mirrored: { shape: [rows.length], data: mirroredPositions(rows.length, at) } } : {}),
    ...(loss === 'patches' ? { boxes: boxArray(data, rows, options) } : {}),
    ...(loss === 'elbo' ? { noise: noiseArray(rows.length, network, at) } : {}),
    ...(loss === 'elbo' && parent === null ? { warmUp: hostScalar(warmUpAt(position, run)) } : {}),
  };
}

/** What the perturbation of a part is chosen and drawn by: nothing where none is made. */
export function perturbationArrays(options: TrainOptions, chosen: Uint8Array, { side, seed }: { side: number; seed: string }): HostArrays {
  if (options.perturbation === 'none') return {};
  const starts = drawStarts(threatOf(options), [chosen.length, side, side, 1], { ...attackOptions(options), seed });
  const drawn = starts.flatMap((start, candidate) =>
    (start ?? []).map((array, index): [string, HostArray] => [`start${candidate}.${index}`, array]),
  );
  return { chosen: { shape: [chosen.length], data: chosen }, epsilon: hostScalar(options.epsilon), ...Object.fromEntries(drawn) };
}

/** The batch that the arrays are of; bytes have become int32. */
export function toBatch(tensors: Readonly<Record<string, tf.Tensor>>, options: TrainOptions): Batch {
  const { mirrored: flipped, boxes, noise, warmUp, chosen, epsilon } = tensors;
  const x = toImages(tensors['pixels'] as tf.Tensor4D);
  return {
    x: flipped ? mirrored(x, tf.cast(flipped as tf.Tensor1D, 'bool')) : x,
    y: tf.cast(tensors['labels'] as tf.Tensor2D, 'float32'),
    beta: tensors['beta'] as tf.Scalar,
    boxes: boxes && tf.cast(boxes as tf.Tensor4D, 'float32'),
    noise: noise as tf.Tensor2D | undefined,
    warmUp: warmUp as tf.Scalar | undefined,
    perturbation: chosen && {
      chosen: tf.cast(chosen as tf.Tensor1D, 'bool'),
      epsilon: epsilon as tf.Scalar,
      starts: Array.from({ length: attackOptions(options).candidates }, (_, candidate) => startOf(tensors, candidate)),
    },
  };
}

function startOf(tensors: Readonly<Record<string, tf.Tensor>>, candidate: number): tf.Tensor[] | null {
  const drawn: tf.Tensor[] = [];
  for (let tensor = tensors[`start${candidate}.0`]; tensor; tensor = tensors[`start${candidate}.${drawn.length}`]) drawn.push(tensor);
  return drawn.length === 0 ? null : drawn;
}

/** The chosen images, left and right exchanged, and the others as they are: [B, S, S, 1]. */
export function mirrored(x: tf.Tensor4D, chosen: tf.Tensor1D): tf.Tensor4D {
  return tf.where(tf.reshape(chosen, [-1, 1, 1, 1]), tf.reverse(x, 2), x);
}

/** [B, P, P, 14], 1 where a patch overlaps the box of that finding. */
function boxArray(data: PreparedData, rows: readonly number[], { patchGrid }: TrainOptions): HostArray {
  const shape = [rows.length, patchGrid, patchGrid, FINDINGS.length];
  const values = new Uint8Array(tf.util.sizeFromShape(shape));
  for (const [slot, row] of rows.entries()) {
    values.set(boxPatches(data.images[row]!.boxes, patchGrid), (slot * values.length) / rows.length);
  }
  return { shape, data: values };
}

function noiseArray(images: number, { noiseSize }: Network, at: At): HostArray {
  return { shape: [images, noiseSize], data: codeNoise(images, noiseSize, at) };
}
