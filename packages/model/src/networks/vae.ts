import { relu } from '../engine/operations.ts';
import { tf } from '../engine/tensorflow.ts';
import type { VaeTable } from '../spec/networks.ts';
import { chain, type Layer, type Layers, layers } from './layers.ts';
import type { Mode, Network, NetworkOptions } from './network.ts';
import { biased, upsampled } from './vae-layers.ts';

/**
 * Generative: a convolutional variational autoencoder (Kingma and Welling, ICLR 2014) with a classifier on its mean code, ours after
 * Biffi et al. (MICCAI 2018). A code is a map of 1 x 1 inside, so that a dense layer is a convolution.
 */
export function vae(
  { name, channels, latent, hidden, inputSize }: VaeTable & { name: string; inputSize: number },
  { mean, std, seed, runningMomentum = 0.1 }: NetworkOptions,
): Network {
  const make = layers({ seed, runningMomentum });
  // Every convolution of the encoder halves the map.
  const side = inputSize / 2 ** channels.length;
  const deepest = channels.at(-1)!;
  const flat = side * side * deepest;

  const encoder = chain(encoderSteps(make, channels));
  const codeMean = biased(make, 'code.mean', { kernel: 1, from: flat, to: latent });
  const codeLogVariance = biased(make, 'code.logvariance', { kernel: 1, from: flat, to: latent });
  const spread = make.convolution('decoder.dense', { kernel: 1, from: latent, to: flat });
  const decoder = chain(decoderSteps(make, channels));
  const hiddenUnits = biased(make, 'classifier', { kernel: 1, from: latent, to: hidden });
  const head = make.head(hidden);

  function decode(code: tf.Tensor2D, mode: Mode): tf.Tensor4D {
    const deepestMap = tf.reshape(spread(asMap(code), mode), [-1, side, side, deepest]) as tf.Tensor4D;
    return tf.sigmoid(decoder(deepestMap, mode));
  }

  function classify(code: tf.Tensor2D, mode: Mode): tf.Tensor2D {
    return head.logits(asVector(relu(hiddenUnits(asMap(code), mode))));
  }

  return {
    name,
    inputSize,
    featureShape: [side, side, deepest],
    parameters: make.parameters,
    statistics: make.statistics,
    evidence: { kind: 'walk', decode: (code) => decode(code, 'inference'), classify: (code) => classify(code, 'inference') },
    noiseSize: latent,
    forward(x, mode, noise) {
      const grey = tf.div(tf.sub(x, mean), std) as tf.Tensor4D;
      const features = encoder(grey, mode); // [B, side, side, deepest]
      const flattened = tf.reshape(features, [-1, 1, 1, flat]) as tf.Tensor4D;
      const code = { mean: asVector(codeMean(flattened, mode)), logVariance: asVector(codeLogVariance(flattened, mode)) };
      const drawn = noise ? tf.add(code.mean, tf.mul(tf.exp(tf.div(code.logVariance, 2)), noise)) : code.mean;
      return { features, logits: classify(code.mean, mode), latent: code, decoded: decode(drawn as tf.Tensor2D, mode) };
    },
    dispose: make.dispose,
  };
}

/** [B, S, S, 1] to [B, S / 2^n, S / 2^n, channels of the n-th]: each 3 x 3 at stride 2, batch norm, ReLU. */
function encoderSteps(make: Layers, channels: readonly number[]): Layer[] {
  return channels.flatMap((to, index) => {
    const from = channels[index - 1] ?? 1;
    const layer = `encoder.layer${index + 1}`;
    return [make.convolution(`${layer}.convolution`, { kernel: 3, from, to, stride: 2 }), make.normRelu(`${layer}.norm`, to)];
  });
}

/** The encoder's mirror, its layers numbered as those they answer to: batch norm, ReLU, nearest upsampling by 2, 3 x 3; no sigmoid yet. */
function decoderSteps(make: Layers, channels: readonly number[]): Layer[] {
  return channels
    .map((from, index) => {
      const layer = `decoder.layer${index + 1}`;
      const shape = { kernel: 3, from, to: channels[index - 1] ?? 1 };
      // The image has no batch norm after it that would shift it.
      const convolution = index === 0 ? biased(make, `${layer}.convolution`, shape) : make.convolution(`${layer}.convolution`, shape);
      return [make.normRelu(`${layer}.norm`, from), upsampled, convolution];
    })
    .reverse()
    .flat();
}

/** [B, C] to [B, 1, 1, C]. */
function asMap(code: tf.Tensor2D): tf.Tensor4D {
  return tf.reshape(code, [-1, 1, 1, code.shape[1]]);
}

/** [B, 1, 1, C] to [B, C]. */
function asVector(map: tf.Tensor4D): tf.Tensor2D {
  return tf.reshape(map, [-1, map.shape[3]]);
}
