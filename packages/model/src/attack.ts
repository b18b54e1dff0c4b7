import { tf } from './engine/tensorflow.ts';
import type { Threat } from './threats.ts';

// Madry et al. 2018: steps of 2.5 epsilon / steps can reach the border and come back.
const REACH = 2.5;

/**
 * The inner maximisation of Eq. 2: images that the threat allows and that raise the loss. One step is FGSM (Eq. 3), more are PGD.
 * @param loss the loss of the whole batch, to whose gradient batch norm's mode belongs
 * @param x [B, S, S, 1], grey in [0, 1]
 */
export function attack(loss: (x: tf.Tensor4D) => tf.Scalar, x: tf.Tensor4D, threat: Threat, steps = 1): tf.Tensor4D {
  const share = steps === 1 ? 1 : REACH / steps;
  return tf.tidy(() => {
    let moved = threat.init(x);
    for (let step = 0; step < steps; step++) {
      const from = moved;
      moved = tf.tidy(() => threat.project(threat.step(from, gradient(loss, from), share), x));
    }
    return moved;
  });
}

function gradient(loss: (x: tf.Tensor4D) => tf.Scalar, x: tf.Tensor4D): tf.Tensor4D {
  return tf.grad((input) => loss(input as tf.Tensor4D))(x) as tf.Tensor4D;
}
