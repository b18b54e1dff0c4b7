import { CxrError } from '@cxr-lens/data';
import { tf } from '../engine/tensorflow.ts';
import type { Output } from '../networks/network.ts';
import type { Run } from '../spec/run.ts';
import { bceLosses } from './bce.ts';

// Standard deviation of a pixel in [0, 1] around the decoded one [ours].
const PIXEL_SD = 0.1;

/**
 * The two terms of the negative evidence lower bound (Kingma and Welling, ICLR 2014, eq. 10) of every image, in nats per pixel: Gaussian
 * negative log likelihood of the pixels up to its constant, and divergence of the code from the standard normal.
 * CxrError INTERNAL when the output is of a network without a code.
 * @param x [B, S, S, 1], grey in [0, 1]
 * @returns [B] each
 */
export function elboLosses({ latent, decoded }: Output, x: tf.Tensor4D): { reconstruction: tf.Tensor1D; kl: tf.Tensor1D } {
  if (!latent || !decoded) throw new CxrError('INTERNAL', 'The loss of Generative needs an output with a code and a decoded image.');
  return tf.tidy(() => {
    // Per pixel [ours], both alike, so that the bound stays one: summed over the pixels it is some thousands, which drowns a cross
    // entropy of about ten and diverges at the paper's learning rate; so it is below one, at any input size.
    const pixels = x.size / x.shape[0];
    const squares: tf.Tensor1D = tf.sum(tf.squaredDifference(x, decoded), [1, 2, 3]);
    const reconstruction: tf.Tensor1D = tf.div(squares, 2 * PIXEL_SD ** 2 * pixels);
    const { mean, logVariance } = latent;
    const terms = tf.sub(tf.add(tf.exp(logVariance), tf.square(mean)), tf.add(logVariance, 1)); // [B, L]
    return { reconstruction, kl: tf.div(tf.sum(terms, 1), 2 * pixels) as tf.Tensor1D };
  });
}

/**
 * What Generative minimises, of every image: reconstruction + w (KL + Eq. 1), w the warm-up.
 * @param y [B, 14], 0 or 1
 * @param beta of Eq. 1
 * @returns [B]
 */
export function generativeLosses(
  output: Output,
  x: tf.Tensor4D,
  { y, beta, warmUp }: { y: tf.Tensor2D; beta: number | tf.Scalar; warmUp: number | tf.Scalar },
): tf.Tensor1D {
  return tf.tidy(() => {
    const { reconstruction, kl } = elboLosses(output, x);
    return tf.add(reconstruction, tf.mul(tf.add(kl, bceLosses(output.logits, y, beta)), warmUp));
  });
}

/** The weight w of a step: from 0 at the first one linearly to 1 at the end of the warm-up's last epoch. */
export function warmUpAt(
  { epoch, step }: { epoch: number; step: number },
  { stepsPerEpoch, options }: Pick<Run, 'stepsPerEpoch' | 'options'>,
): number {
  const { warmupEpochs } = options;
  return warmupEpochs === 0 ? 1 : Math.min(1, (epoch - 1 + step / stepsPerEpoch) / warmupEpochs);
}
