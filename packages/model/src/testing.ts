import { random } from '@cxr-lens/data';
import { type BatchArrays, perturbationArrays, toBatch } from './batch.ts';
import { hostScalar, toTensors } from './engine/host-array.ts';
import type { tf } from './engine/tensorflow.ts';
import { batchBeta } from './losses/bce.ts';
import { type Batch, objectiveOf } from './methods.ts';
import type { Network } from './networks/network.ts';
import { type Optimiser, optimiserOf } from './optimiser.ts';
import type { HostTensor } from './safetensors.ts';
import { defaultOptions, METHODS, type MethodName, type TrainOptions } from './spec/index.ts';
import { compiledStepper, eagerStepper, type StepParts } from './step.ts';
import { readVariables, setVariables } from './weights.ts';

const ROBUST = defaultOptions('robust');

interface Noise {
  size: number;
  seed: number;
  options?: TrainOptions;
}

/** One step of Robust on a seeded batch of noise, operation by operation; returns the loss. */
export function robustStep(network: Network, optimiser: Optimiser, noise: Noise): number {
  const parts = { network, optimiser, objective: objectiveOf('robust', ROBUST), options: ROBUST };
  const step = { batches: [noiseArrays(network, noise)], size: { learningRate: ROBUST.learningRate, step: 1 } };
  return eagerStepper(parts).take([step])[0]!;
}

/** A batch of uniform noise whose first half is to be perturbed as the options say, by default as Robust's. */
export function noiseArrays({ inputSize: side }: Pick<Network, 'inputSize'>, { size, seed, options = ROBUST }: Noise): BatchArrays {
  const { next } = random(seed);
  const labels = Uint8Array.from({ length: size * 14 }, () => (next() < 0.1 ? 1 : 0));
  const chosen = Uint8Array.from({ length: size }, (_, index) => (index < Math.floor(size / 2) ? 1 : 0));
  return {
    pixels: { shape: [size, side, side, 1], data: Uint8Array.from({ length: size * side * side }, () => 256 * next()) },
    labels: { shape: [size, 14], data: labels },
    beta: hostScalar(batchBeta(labels)),
    ...perturbationArrays(options, chosen, { side, seed: String(seed) }),
  };
}

export function noiseBatch(network: Pick<Network, 'inputSize'>, noise: Noise): Batch {
  return toBatch(toTensors(noiseArrays(network, noise)), noise.options ?? ROBUST);
}

interface Follow {
  method: MethodName;
  options: TrainOptions;
  steps: number;
  /** Steps from one comparison to the next. */
  every: number;
  /** Images a batch. */
  size: number;
}

/** Of one step from the same state: relative to the eager loss, and to the length of the change of weights, averages and optimiser. */
export interface StepGap {
  loss: number;
  change: number;
}

/** Trains operation by operation, and from time to time takes the same step from the same state compiled as well. */
export function stepGaps(make: () => Network, { method, options, steps, every, size }: Follow): StepGap[] {
  const trained = (): { parts: StepParts; variables: ReadonlyMap<string, tf.Variable> } => {
    const network = make();
    const optimiser = optimiserOf(network, options);
    const parts = { network, optimiser, objective: objectiveOf(method, options), options };
    return { parts, variables: new Map([...network.parameters, ...network.statistics, ...optimiser.state]) };
  };
  const [eager, compiled] = [trained(), trained()];
  const gaps: StepGap[] = [];
  const own = eagerStepper(eager.parts);
  for (let step = 0; step < steps; step++) {
    const batch = stepArrays(eager.parts.network, { size, seed: step, method, options });
    const taken = [{ batches: [batch], size: { learningRate: options.learningRate, step: step + 1 } }];
    if (step % every !== 0) {
      own.take(taken);
      continue;
    }
    const before = readVariables(eager.variables);
    setVariables(compiled.variables, before, 'the eager state');
    const stepper = compiledStepper(compiled.parts, method);
    const [found, expected] = [stepper.take(taken)[0]!, own.take(taken)[0]!];
    stepper.settle();
    stepper.dispose();
    const change = relativeChange(readVariables(compiled.variables), readVariables(eager.variables), before);
    gaps.push({ loss: Math.abs(found - expected) / Math.abs(expected), change });
  }
  for (const { parts } of [eager, compiled]) {
    parts.network.dispose();
    parts.optimiser.dispose();
  }
  return gaps;
}

type Tensors = ReadonlyMap<string, HostTensor>;

function relativeChange(found: Tensors, expected: Tensors, before: Tensors): number {
  let [gap, change] = [0, 0];
  for (const [name, { data }] of expected) {
    for (const [at, value] of data.entries()) {
      gap += (found.get(name)!.data[at]! - value) ** 2;
      change += (value - before.get(name)!.data[at]!) ** 2;
    }
  }
  return Math.sqrt(gap / change);
}

/** A batch of noise with what the method's loss takes beside the labels. */
function stepArrays(network: Network, { method, ...noise }: Noise & { method: MethodName; options: TrainOptions }): BatchArrays {
  const { size, seed, options } = noise;
  const { loss } = METHODS[method];
  const { next, normal } = random(`more/${seed}`);
  const patches = [size, options.patchGrid, options.patchGrid, 14];
  const boxes = Uint8Array.from({ length: size * options.patchGrid ** 2 * 14 }, () => (next() < 0.05 ? 1 : 0));
  const codes = Float32Array.from({ length: size * network.noiseSize }, () => normal());
  return {
    ...noiseArrays(network, noise),
    ...(options.flip === 'horizontal' ? { mirrored: { shape: [size], data: Uint8Array.from({ length: size }, (_, at) => at % 2) } } : {}),
    ...(loss === 'patches' ? { boxes: { shape: patches, data: boxes } } : {}),
    ...(loss === 'elbo' ? { noise: { shape: [size, network.noiseSize], data: codes }, warmUp: hostScalar(0.5) } : {}),
  };
}
