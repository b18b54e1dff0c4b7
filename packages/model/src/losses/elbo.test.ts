import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import type { Output } from '../networks/network.ts';
import { error, formula, image, readReference } from '../networks/testing.ts';
import { elboLosses, generativeLosses } from './elbo.ts';

/** Made by PyTorch: packages/model/reference/vae.py. */
const { elbo: reference } = readReference<{
  elbo: { reconstruction: number[]; kl: number[]; gradients: Record<'mean' | 'logVariance' | 'decoded', number[]> };
}>('vae.json');

// float32 against float64.
const TOLERANCE = 1e-5;

function output(mean: tf.Tensor2D, logVariance: tf.Tensor2D, { decoded }: { decoded: tf.Tensor4D }): Output {
  return { features: tf.zeros([1, 1, 1, 1]), logits: tf.zeros([1, 14]), latent: { mean, logVariance }, decoded };
}

/** Losses of one image of 2 x 2 pixels, all 0.5, and a code of length 2. */
function losses({ mean = [0, 0], variance = [1, 1], decoded = [0.5, 0.5, 0.5, 0.5] }): { reconstruction: number; kl: number } {
  return tf.tidy(() => {
    const given = output(tf.tensor2d([mean]), tf.tensor2d([variance.map(Math.log)]), { decoded: tf.tensor4d(decoded, [1, 2, 2, 1]) });
    const { reconstruction, kl } = elboLosses(given, tf.fill([1, 2, 2, 1], 0.5));
    return { reconstruction: reconstruction.dataSync()[0]!, kl: kl.dataSync()[0]! };
  });
}

describe('by hand', () => {
  it('is 0 and 0 for a perfect image and a code that is standard normal', () => {
    expect(losses({})).toEqual({ reconstruction: 0, kl: 0 });
  });

  it('reconstruction: the squares over twice the variance of 0.01, the mean of the pixels', () => {
    expect(losses({ decoded: [0.5, 0.6, 0.3, 0.5] }).reconstruction).toBeCloseTo((0.01 + 0.04) / 0.02 / 4, 5);
  });

  it('KL: half of variance + mean squared - 1 - log variance, the sum over the code, shared among the pixels', () => {
    expect(losses({ mean: [3, -1] }).kl).toBeCloseTo((9 + 1) / 2 / 4, 5);
    expect(losses({ variance: [Math.E, 1] }).kl).toBeCloseTo((Math.E - 2) / 2 / 4, 5);
    expect(losses({ mean: [1, 0], variance: [1 / Math.E, Math.E ** 2] }).kl).toBeCloseTo((1 / Math.E + 1 + (Math.E ** 2 - 3)) / 2 / 4, 5);
  });
});

describe('against torch.distributions', () => {
  const [B, L, S] = [4, 6, 16];
  const scaled = (name: string, size: number, [shift, scale]: [number, number]): Float32Array =>
    Float32Array.from(formula(name, size), (value) => shift + scale * value);
  const inputs = (): [tf.Tensor2D, tf.Tensor2D, tf.Tensor4D] => [
    tf.tensor2d(scaled('mean', B * L, [0, 2]), [B, L]),
    tf.tensor2d(scaled('logVariance', B * L, [0, 2]), [B, L]),
    tf.tensor4d(scaled('decoded', B * S * S, [0.5, 0.5]), [B, S, S, 1]),
  ];

  it('gives its log likelihood and its divergence of every image, and leaves two tensors', () => {
    tf.tidy(() => {
      const [mean, logVariance, decoded] = inputs();
      const [given, x] = [output(mean, logVariance, { decoded }), image(B, S)];
      const count = tf.memory().numTensors;
      const { reconstruction, kl } = elboLosses(given, x);
      expect(tf.memory().numTensors).toBe(count + 2);
      expect(error(reconstruction.dataSync(), reference.reconstruction)).toBeLessThan(TOLERANCE);
      expect(error(kl.dataSync(), reference.kl)).toBeLessThan(TOLERANCE);
    });
  });

  it('has its gradients', () => {
    tf.tidy(() => {
      const upstream = tf.tensor1d(scaled('upstream', B, [0, 1]));
      const weighted = (...[mean, logVariance, decoded]: tf.Tensor[]): tf.Scalar => {
        const given = output(mean as tf.Tensor2D, logVariance as tf.Tensor2D, { decoded: decoded as tf.Tensor4D });
        const { reconstruction, kl } = elboLosses(given, image(B, S));
        return tf.sum(tf.mul(tf.add(reconstruction, kl), upstream));
      };
      const gradients = tf.grads(weighted)(inputs());
      for (const [place, name] of (['mean', 'logVariance', 'decoded'] as const).entries()) {
        const expected = reference.gradients[name];
        expect(error(gradients[place]!.dataSync().slice(0, expected.length), expected), name).toBeLessThan(TOLERANCE);
      }
    });
  });
});

it('refuses the output of a network without a code', () => {
  tf.tidy(() => {
    const plain = { features: tf.zeros<tf.Rank.R4>([1, 1, 1, 1]), logits: tf.zeros<tf.Rank.R2>([1, 14]) };
    expect(() => elboLosses(plain, tf.zeros([1, 2, 2, 1]))).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });
});

it("Generative's loss: reconstruction in full, KL and Eq. 1 by the warm-up, against the images it is given", () => {
  const total = (warmUp: number): number =>
    tf.tidy(() => {
      const given = output(tf.tensor2d([[3, -1]]), tf.zeros([1, 2]), { decoded: tf.tensor4d([0.5, 0.6, 0.3, 0.5], [1, 2, 2, 1]) });
      const y = tf.tensor2d([[1, ...new Array<number>(13).fill(0)]]);
      return generativeLosses(given, tf.fill([1, 2, 2, 1], 0.5), { y, beta: 4, warmUp }).dataSync()[0]!;
    });
  // Logits of 0: log 2 of every finding, four times that of the positive one.
  const [reconstruction, kl, entropy] = [0.05 / 0.02 / 4, 10 / 2 / 4, (13 + 4) * Math.LN2];
  for (const warmUp of [0, 0.25, 1]) expect(total(warmUp)).toBeCloseTo(reconstruction + warmUp * (kl + entropy), 4);
});
