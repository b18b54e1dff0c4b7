import { tf } from './engine/tensorflow.ts';
import type { Network } from './networks/network.ts';
import type { TrainOptions } from './spec/index.ts';

/** What of the training decides a step beside the gradients. */
export interface StepSize {
  learningRate: number;
  /** Of the whole training, from 1. */
  step: number;
}

/** Numbers that an update takes beside the gradients, by name. */
type Sizes = Readonly<Record<string, number | tf.Scalar>>;

/** Turns gradients into new weights, and holds what it keeps between steps. */
export interface Optimiser {
  /** Under `velocity.<parameter>` (SGD), or `moment1.<parameter>` and `moment2.<parameter>` (Adam). */
  state: ReadonlyMap<string, tf.Variable>;
  /** What `apply` takes for that step. */
  sizes(size: StepSize): Record<string, number>;
  apply(gradients: tf.NamedTensorMap, sizes: Sizes): void;
  dispose(): void;
}

type Parameters = Pick<Network, 'parameters'>;

/** Fresh state for all trainable parameters of the network. */
export function optimiserOf(network: Parameters, options: Pick<TrainOptions, 'optimiser' | 'momentum'>): Optimiser {
  return options.optimiser === 'adam' ? adam(network) : sgd(network, options.momentum);
}

/** v = momentum v + g, w = w - learningRate v, as PyTorch: the learning rate is not inside the velocity. */
function sgd({ parameters }: Parameters, momentum: number): Optimiser {
  const state = zeros(parameters, ['velocity.']);
  return {
    state,
    sizes: ({ learningRate }) => ({ rate: learningRate }),
    apply: (gradients, { rate }) =>
      forEach(parameters, gradients, (name, parameter, gradient) => {
        const velocity = state.get(`velocity.${name}`)!;
        velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
        parameter.assign(tf.sub(parameter, tf.mul(velocity, rate!)));
      }),
    dispose: () => tf.dispose([...state.values()]),
  };
}

// Kingma and Ba's and PyTorch's.
const BETA1 = 0.9;
const BETA2 = 0.999;
const SMALLEST = 1e-8;

/** Adam (Kingma and Ba, ICLR 2015, algorithm 1), as PyTorch: the smallest denominator is added after the correction of the bias. */
function adam({ parameters }: Parameters): Optimiser {
  const state = zeros(parameters, ['moment1.', 'moment2.']);
  return {
    state,
    sizes: ({ learningRate, step }) => ({ rate: learningRate / (1 - BETA1 ** step), root: Math.sqrt(1 - BETA2 ** step) }),
    apply: (gradients, { rate, root }) =>
      forEach(parameters, gradients, (name, parameter, gradient) => {
        const first = state.get(`moment1.${name}`)!;
        const second = state.get(`moment2.${name}`)!;
        first.assign(tf.add(tf.mul(first, BETA1), tf.mul(gradient, 1 - BETA1)));
        second.assign(tf.add(tf.mul(second, BETA2), tf.mul(tf.square(gradient), 1 - BETA2)));
        const denominator = tf.add(tf.div(tf.sqrt(second), root!), SMALLEST);
        parameter.assign(tf.sub(parameter, tf.mul(tf.div(first, denominator), rate!)));
      }),
    dispose: () => tf.dispose([...state.values()]),
  };
}

function zeros(parameters: Network['parameters'], prefixes: readonly string[]): Map<string, tf.Variable> {
  const state = new Map<string, tf.Variable>();
  for (const [name, parameter] of parameters) {
    for (const prefix of prefixes) {
      state.set(
        `${prefix}${name}`,
        tf.tidy(() => tf.variable(tf.zeros(parameter.shape), false)),
      );
    }
  }
  return state;
}

function forEach(
  parameters: Network['parameters'],
  gradients: tf.NamedTensorMap,
  update: (name: string, parameter: tf.Variable, gradient: tf.Tensor) => void,
): void {
  tf.tidy(() => {
    for (const [name, parameter] of parameters) update(name, parameter, gradients[parameter.name]!);
  });
}
