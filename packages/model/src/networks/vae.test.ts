import { afterEach, describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { batchBeta, bceLosses } from '../losses/bce.ts';
import { elboLosses } from '../losses/elbo.ts';
import { NETWORKS } from '../spec/networks.ts';
import { PRESETS } from '../spec/presets.ts';
import type { Evidence, Network } from './network.ts';
import {
  error,
  fill,
  formula,
  image,
  inputGradients,
  labels,
  PIXELS,
  readReference,
  TOLERANCE,
  type Trained,
  trainingErrors,
  worst,
} from './testing.ts';
import { vae } from './vae.ts';

/** Made by PyTorch: packages/model/reference/vae.py. */
const reference = readReference<{ inference: Record<'logits' | 'mean' | 'logVariance' | 'decoded', number[]>; trained: Trained }>(
  'vae.json',
);

const [B, L, S] = [4, 6, 16];
// vae.py's kernels lie within sqrt(6 / fan in).
const SPREAD = 6;
const WARMUP = 0.5;

const tiny = (): Network => fill(vae({ name: 'tiny', channels: [4, 8], latent: L, hidden: 10, inputSize: S }, PIXELS), SPREAD);

const noise = (): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from(formula('noise', B * L), (value) => 2 * value),
    [B, L],
  );

let open: Network | null = null;
afterEach(() => {
  open?.dispose();
  open = null;
});

function walkOf({ evidence }: Network): Extract<Evidence, { kind: 'walk' }> {
  if (evidence.kind !== 'walk') throw new Error(`evidence of kind ${evidence.kind}`);
  return evidence;
}

/** Mean loss of a training step: reconstruction + warm-up (KL + Eq. 1). */
function loss(network: Network): tf.Scalar {
  const [x, y] = [image(B, S), labels(B)];
  const output = network.forward(x, 'train', noise());
  const { reconstruction, kl } = elboLosses(output, x);
  return tf.mean(tf.add(reconstruction, tf.mul(tf.add(kl, bceLosses(output.logits, tf.tensor2d(y, [B, 14]), batchBeta(y))), WARMUP)));
}

describe('against PyTorch', () => {
  it('logits, code and decoded image', () => {
    const network = tiny();
    open = network;
    tf.tidy(() => {
      const { logits, latent, decoded } = network.forward(tf.slice(image(B, S), 0, 1), 'inference');
      const found = { logits, ...latent!, decoded: decoded! };
      for (const [name, expected] of Object.entries(reference.inference)) {
        const values = found[name as keyof typeof found].dataSync();
        expect(values).toHaveLength(expected.length);
        expect(error(values, expected), name).toBeLessThan(TOLERANCE);
      }
    });
  });

  it("a training step's loss, moving averages, and the gradients of every parameter", () => {
    const network = tiny();
    open = network;
    expect(Object.keys(reference.trained.gradients).sort()).toEqual([...network.parameters.keys()].sort());
    expect(Object.keys(reference.trained.statistics).sort()).toEqual([...network.statistics.keys()].sort());
    const errors = trainingErrors(network, () => loss(network), reference.trained);
    expect(worst(errors), JSON.stringify(errors)).toBeLessThan(TOLERANCE);
  });
});

describe('VAE', () => {
  it.each(['small', 'paper'] as const)('%s has the shapes of its table', (preset) => {
    const table = NETWORKS.vae[preset];
    const { inputSize } = PRESETS[preset];
    const network = vae({ ...table, name: 'vae', inputSize }, PIXELS);
    open = network;
    expect(network.noiseSize).toBe(table.latent);
    tf.tidy(() => {
      const output = network.forward(image(2, inputSize), 'inference');
      expect(output.features.shape.slice(1)).toEqual([...network.featureShape]);
      expect(output.features.shape[1]).toBe(inputSize / 2 ** table.channels.length);
      expect(output.logits.shape).toEqual([2, 14]);
      expect(output.latent!.mean.shape).toEqual([2, table.latent]);
      expect(output.latent!.logVariance.shape).toEqual([2, table.latent]);
      expect(output.decoded!.shape).toEqual([2, inputSize, inputSize, 1]);
    });
  });

  it('names each parameter network.<layer>.<parameter>', () => {
    const network = tiny();
    open = network;
    const names = [...network.parameters.keys()];
    expect(names.every((name) => /^network(\.[a-z]+\d*)+\.(kernel|scale|offset|bias)$/.test(name))).toBe(true);
  });

  it('draws the code that is decoded with the noise; the classifier is on the mean', () => {
    const network = tiny();
    open = network;
    const { decode, classify } = walkOf(network);
    tf.tidy(() => {
      const x = image(B, S);
      const still = network.forward(x, 'inference');
      const drawn = network.forward(x, 'inference', noise());
      const { mean, logVariance } = still.latent!;
      const code: tf.Tensor2D = tf.add(mean, tf.mul(tf.sqrt(tf.exp(logVariance)), noise()));
      expect(error(drawn.decoded!.dataSync(), [...decode(code).dataSync()])).toBeLessThan(1e-5);
      expect(error(drawn.decoded!.dataSync(), [...still.decoded!.dataSync()])).toBeGreaterThan(0.05);
      expect([...drawn.logits.dataSync()]).toEqual([...still.logits.dataSync()]);
      expect(error(still.decoded!.dataSync(), [...decode(mean).dataSync()])).toBeLessThan(1e-5);
      expect(error(still.logits.dataSync(), [...classify(mean).dataSync()])).toBeLessThan(1e-5);
    });
  });

  it('moves the averages in training only', () => {
    const network = tiny();
    open = network;
    const averages = (): number[][] => [...network.statistics.values()].map((one) => [...one.dataSync()]);
    const before = averages();
    tf.tidy(() => {
      const frozen = network.forward(image(B, S), 'frozen-batch', noise());
      network.forward(image(B, S), 'inference', noise());
      expect(averages()).toEqual(before);
      const trained = network.forward(image(B, S), 'train', noise());
      expect([...frozen.logits.dataSync()]).toEqual([...trained.logits.dataSync()]);
      expect([...frozen.decoded!.dataSync()]).toEqual([...trained.decoded!.dataSync()]);
    });
    expect(averages().every((values, i) => values.some((value, j) => value !== before[i]![j]))).toBe(true);
  });

  it('gives each image of a batch its own answer in inference mode, and a saliency', () => {
    const network = tiny();
    open = network;
    tf.tidy(() => {
      const x = image(3, S);
      const one: tf.Tensor4D = tf.slice(x, 1, 1);
      const [together, alone] = [network.forward(x, 'inference'), network.forward(one, 'inference')];
      expect(error(alone.logits.dataSync(), [...tf.slice(together.logits, 1, 1).dataSync()])).toBeLessThan(1e-5);
      expect(error(alone.decoded!.dataSync(), [...tf.slice(together.decoded!, 1, 1).dataSync()])).toBeLessThan(1e-5);
      expect(Math.max(...inputGradients(network, one, [3])[0]!.map(Math.abs))).toBeGreaterThan(0);
    });
  });

  it('gives back every tensor', () => {
    const count = tf.memory().numTensors;
    const network = tiny();
    tf.tidy(() => {
      network.forward(image(B, S), 'train', noise());
    });
    network.dispose();
    expect(tf.memory().numTensors).toBe(count);
  });
});
