import { tf } from './engine/tensorflow.ts';
import type { Network } from './networks/network.ts';

/** Stochastic gradient descent with momentum and its state. */
export interface Sgd {
  /** One velocity a parameter, under the parameter's name. */
  velocities: Map<string, tf.Variable>;
  /** v = momentum v + g, w = w - learningRate v, as PyTorch: the learning rate is not inside the velocity. */
  apply(gradients: tf.NamedTensorMap): void;
  dispose(): void;
}

/** Fresh velocities for all trainable parameters of the network. */
export function sgd(network: Pick<Network, 'parameters'>, { learningRate, momentum }: { learningRate: number; momentum: number }): Sgd {
  const velocities = new Map<string, tf.Variable>();
  for (const [name, parameter] of network.parameters) {
    velocities.set(
      name,
      tf.tidy(() => tf.variable(tf.zeros(parameter.shape), false)),
    );
  }

  function apply(gradients: tf.NamedTensorMap): void {
    tf.tidy(() => {
      for (const [name, parameter] of network.parameters) {
        const velocity = velocities.get(name)!;
        const gradient = gradients[parameter.name]!;
        velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
        parameter.assign(tf.sub(parameter, tf.mul(velocity, learningRate)));
      }
    });
  }

  function dispose(): void {
    for (const velocity of velocities.values()) velocity.dispose();
  }

  return { velocities, apply, dispose };
}
