import { type BatchArrays, toBatch } from './batch.ts';
import { type Compiled, compile, type StepPlan } from './engine/compile.ts';
import { type HostArray, type HostArrays, hostScalar, toTensors } from './engine/host-array.ts';
import { isGpu, multipliesBfloat16, tf } from './engine/tensorflow.ts';
import { toBfloat16 } from './graph/bfloat16.ts';
import { recomputeActivations } from './graph/recompute.ts';
import type { StepGraph } from './graph/step.ts';
import { type Objective, stepInputs, stepLoss } from './methods.ts';
import type { Network } from './networks/network.ts';
import type { Optimiser, StepSize } from './optimiser.ts';
import { METHODS, type MethodName, type TrainOptionName, type TrainOptions } from './spec/index.ts';

/** What a training step is made of. */
export interface StepParts {
  network: Network;
  optimiser: Optimiser;
  objective: Objective;
  options: TrainOptions;
}

/** What one training step is taken on: the equal parts of a batch. */
interface StepInputs {
  batches: readonly BatchArrays[];
  size: StepSize;
}

/** Takes training steps. */
export interface Stepper {
  /** Steps one after another, all inputs of the same shapes at every call; returns the mean loss of each. */
  take(steps: readonly StepInputs[]): number[];
  /** The network's and the optimiser's variables are up to date again. */
  settle(): void;
  dispose(): void;
}

type Part = { loss: tf.Scalar; gradients: tf.NamedTensorMap };

/** Inputs of the objective, its loss, and the gradients, of one part of a batch. */
function partOf({ network, objective, options }: StepParts, tensors: Readonly<Record<string, tf.Tensor>>): Part {
  return tf.tidy(() => {
    const batch = toBatch(tensors, options);
    const x = stepInputs(network, batch, { objective, options });
    const { value, grads } = tf.variableGrads(stepLoss(network, { ...batch, x }, { objective, options }), [...network.parameters.values()]);
    return { loss: value, gradients: grads };
  });
}

/** Operation by operation: what the compiled step is checked against. */
export function eagerStepper(parts: StepParts): Stepper {
  return {
    take: (steps) =>
      steps.map(({ batches, size }) =>
        tf.tidy(() => {
          const found = batches.map((arrays) => partOf(parts, toTensors(arrays)));
          parts.optimiser.apply(averaged(found.map(({ gradients }) => gradients)), parts.optimiser.sizes(size));
          return found.reduce((sum, { loss }) => sum + loss.dataSync<'float32'>()[0]!, 0) / found.length;
        }),
      ),
    settle: () => undefined,
    dispose: () => undefined,
  };
}

function averaged(parts: readonly tf.NamedTensorMap[]): tf.NamedTensorMap {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const names = Object.keys(first!);
  return Object.fromEntries(names.map((name) => [name, tf.div(tf.addN(parts.map((grads) => grads[name]!)), parts.length)]));
}

/** Options that decide no operation of a step: they are inputs, or of the training around it. */
const OUTSIDE: readonly TrainOptionName[] = [
  'seed',
  'learningRate',
  'plateauPatience',
  'patience',
  'patienceSteps',
  'maxEpochs',
  'maxSteps',
  'epsilon',
  'perturbedFraction',
  'fold',
  'warmupEpochs',
  'checkpointSeconds',
];

/** What decides the operations of a graph of the run's, beside the shapes; null where the network is not told by its key. */
export function keyOf(name: string, { key }: Network, { method, options }: { method: MethodName; options: TrainOptions }): unknown {
  if (key === undefined) return null;
  const deciding = Object.entries(options).filter(([option]) => !OUTSIDE.includes(option as TrainOptionName));
  return [name, key, METHODS[method].loss, deciding, multipliesBfloat16()];
}

/** Steps that are worth one call of TensorFlow: a GPU, whose steps are short, need not wait for JavaScript between them. */
export function stepsAtOnce(): number {
  return isGpu() ? 8 : 1;
}

/**
 * The step as one graph, made when the first one is taken: weights, averages and the optimiser's state live in it until `settle`.
 * A batch in several parts is one graph for a part, whose gradients are added up, and one for the update.
 * @param atOnce whole steps that are taken in one call while there are so many
 */
export function compiledStepper(parts: StepParts, method: MethodName, atOnce = stepsAtOnce()): Stepper {
  const { network, optimiser, options } = parts;
  const key = keyOf('step', network, { method, options });
  const sums = options.accumulation === 1 ? new Map<string, tf.Variable>() : gradientSums(network);
  const state = new Map([...network.parameters, ...network.statistics, ...optimiser.state, ...sums]);
  let compiled: Compiled | null = null;

  function takeInParts(steps: Compiled, batches: readonly BatchArrays[], sizes: HostArrays): number {
    let loss = 0;
    for (const batch of batches) loss += steps.run('part', batch)['loss']![0]!;
    steps.run('update', sizes);
    return loss / batches.length;
  }

  return {
    take(steps) {
      const all = steps.map(({ batches, size }) => ({ batches, sizes: sizeArrays(optimiser.sizes(size)) }));
      const [first] = all;
      const inParts = sums.size > 0;
      compiled ??= compile(
        inParts
          ? partPlans(parts, sums, { batch: first!.batches[0]!, sizes: first!.sizes })
          : wholePlan(parts, { ...first!.batches[0]!, ...first!.sizes }, atOnce),
        { state, key },
      );
      if (inParts) return all.map(({ batches, sizes }) => takeInParts(compiled!, batches, sizes));
      const inputs = all.map(({ batches, sizes }) => ({ ...batches[0]!, ...sizes }));
      return compiled.runAll('whole', inputs).map(({ loss }) => loss![0]!);
    },
    settle: () => compiled?.pull(),
    dispose() {
      compiled?.dispose();
      tf.dispose([...sums.values()]);
    },
  };
}

const SIZE = 'size.';

function sizeArrays(sizes: Record<string, number>): Record<string, HostArray> {
  return Object.fromEntries(Object.entries(sizes).map(([name, value]) => [`${SIZE}${name}`, hostScalar(value)]));
}

function sizesIn(tensors: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Scalar> {
  const sizes = Object.entries(tensors).filter(([name]) => name.startsWith(SIZE));
  return Object.fromEntries(sizes.map(([name, tensor]) => [name.slice(SIZE.length), tensor as tf.Scalar]));
}

// Rounding to bfloat16 is 2 ** 16 times that of float32; what it does to a whole training is measured (docs/performance.md).
const BFLOAT16_TOLERANCE = 0.5;

/** How the graph of a step is rewritten: for memory, and for the run's precision. */
function rewriting({ precision }: TrainOptions): Pick<StepPlan, 'rewrite' | 'tolerance'> {
  const slim = (graph: StepGraph): StepGraph => (isGpu() ? graph : { ...graph, operations: recomputeActivations(graph.operations) });
  if (precision === 'float32') return { rewrite: slim };
  const native = multipliesBfloat16();
  return { rewrite: (graph) => toBfloat16(slim(graph), { native }), tolerance: BFLOAT16_TOLERANCE };
}

function wholePlan(parts: StepParts, inputs: HostArrays, atOnce: number): Record<string, StepPlan> {
  const step = (tensors: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
    const { loss, gradients } = partOf(parts, tensors);
    parts.optimiser.apply(gradients, sizesIn(tensors));
    return { loss };
  };
  return { whole: { step, inputs, outputs: ['loss'], atOnce, ...rewriting(parts.options) } };
}

/** Of each parameter, under `sum.<parameter>`. */
function gradientSums({ parameters }: Network): Map<string, tf.Variable> {
  const zero = (shape: number[]): tf.Variable => tf.tidy(() => tf.variable(tf.zeros(shape), false));
  return new Map([...parameters].map(([name, { shape }]) => [`sum.${name}`, zero(shape)]));
}

function partPlans(
  parts: StepParts,
  sums: ReadonlyMap<string, tf.Variable>,
  { batch, sizes }: { batch: HostArrays; sizes: HostArrays },
): Record<string, StepPlan> {
  const { network, optimiser, options } = parts;
  const part = (tensors: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
    const { loss, gradients } = partOf(parts, tensors);
    for (const [name, parameter] of network.parameters) {
      const sum = sums.get(`sum.${name}`)!;
      sum.assign(tf.add(sum, gradients[parameter.name]!));
    }
    return { loss };
  };
  const update = (tensors: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
    const means = [...network.parameters].map(([name, parameter]) => [
      parameter.name,
      tf.div(sums.get(`sum.${name}`)!, options.accumulation),
    ]);
    optimiser.apply(Object.fromEntries(means) as tf.NamedTensorMap, sizesIn(tensors));
    for (const sum of sums.values()) sum.assign(tf.zeros(sum.shape));
    return { done: tf.scalar(1) };
  };
  return {
    part: { step: part, inputs: batch, outputs: ['loss'], ...rewriting(options) },
    update: { step: update, inputs: sizes, outputs: ['done'] },
  };
}
