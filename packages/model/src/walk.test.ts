import { afterEach, describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { densenet } from './networks/densenet.ts';
import type { Network } from './networks/network.ts';
import { fill, image, PIXELS } from './networks/testing.ts';
import { vae } from './networks/vae.ts';
import { walk } from './walk.ts';

let open: Network | null = null;
afterEach(() => {
  open?.dispose();
  open = null;
});

/**
 * A network of 2 x 2 images whose mean code is [1, 2, 5], with a linear decoder and a linear classifier: logit 0 is a constant 0, logit
 * 1 is 3 a - 4 b, logit 2 its size.
 */
function linearNetwork(): Network {
  const weights = tf.tensor2d([
    [0, 3],
    [0, -4],
    [0, 0],
  ]);
  const pixels = tf.tensor2d([
    [0.1, 0, -0.2, 0],
    [0, 0.1, 0.1, 0],
    [0.3, 0.3, 0.3, 0.3],
  ]);
  const decode = (code: tf.Tensor2D): tf.Tensor4D => tf.reshape(tf.matMul(code, pixels), [-1, 2, 2, 1]);
  const classify = (code: tf.Tensor2D): tf.Tensor2D => {
    const linear: tf.Tensor2D = tf.matMul(code, weights);
    return tf.concat2d([linear, tf.abs(tf.slice(linear, [0, 1], [-1, 1]))], 1);
  };
  return {
    name: 'linear',
    inputSize: 2,
    featureShape: [2, 2, 1],
    parameters: new Map(),
    statistics: new Map(),
    evidence: { kind: 'walk', decode, classify },
    noiseSize: 3,
    forward(x) {
      const mean = tf.tensor2d([[1, 2, 5]]);
      const logVariance: tf.Tensor2D = tf.zerosLike(mean);
      return { features: x, logits: classify(mean), latent: { mean, logVariance }, decoded: decode(mean) };
    },
    dispose: () => tf.dispose([weights, pixels]),
  };
}

describe('on a linear network', () => {
  const x = (): tf.Tensor4D => tf.zeros([1, 2, 2, 1]);
  const close = (values: readonly number[]): unknown => values.map((value) => expect.closeTo(value, 5));

  it('walks straight down the gradient to below the operating point: logits, strip and map by hand', () => {
    open = linearNetwork();
    // The gradient is [3, -4, 0]: a step of 0.5 adds [-0.3, 0.4, 0] to the code, and -2.5 to the logit of -5.
    const { logits, strip, map } = walk(open, x(), 1, { belowLogit: -11, steps: 20, stepSize: 0.5 });
    expect(logits).toEqual(close([-5, -7.5, -10, -12.5]));
    expect(strip).toHaveLength(4);
    expect([...strip[0]!]).toEqual(close([1.6, 1.7, 1.5, 1.5]));
    expect([...strip[1]!]).toEqual(close([1.57, 1.74, 1.6, 1.5]));
    expect([...map]).toEqual(close([0.09, 0.12, 0.3, 0]));
    // Of six places the first, the last, and the nearest to the middle; the map is the same.
    const options = { belowLogit: -16, steps: 20, stepSize: 0.5 };
    const [whole, few] = [walk(open, x(), 1, options), walk(open, x(), 1, { ...options, frames: 3 })];
    expect(few.strip).toEqual([0, 3, 5].map((place) => whole.strip[place]));
    expect([few.map, few.logits]).toEqual([whole.map, whole.logits]);
    expect(walk(open, x(), 1, { ...options, frames: 9 })).toEqual(whole);
  });

  it('starts on the operating point and goes below it; starts below and goes on until the logit has fallen by 1', () => {
    open = linearNetwork();
    const options = { steps: 20, stepSize: 0.15 };
    expect(walk(open, x(), 1, { ...options, belowLogit: -5 }).logits).toEqual(close([-5, -5.75]));
    expect(walk(open, x(), 1, { ...options, belowLogit: 3 }).logits).toEqual(close([-5, -5.75, -6.5]));
  });

  it('halves a step that would lead up', () => {
    open = linearNetwork();
    // The size of -5, 1 (a whole step of 6), -0.5 (a quarter of one), 0.25 (an eighth).
    expect(walk(open, x(), 2, { belowLogit: 0.3, steps: 20, stepSize: 1.2 }).logits).toEqual(close([5, 1, 0.5, 0.25]));
  });

  it('ends after the most steps, and where no way leads down', () => {
    open = linearNetwork();
    expect(walk(open, x(), 1, { belowLogit: -1000, steps: 3 }).logits).toHaveLength(4);
    const stuck = walk(open, x(), 0, { belowLogit: -1, steps: 3 });
    expect(stuck.logits).toEqual([0]);
    expect([...stuck.map]).toEqual([0, 0, 0, 0]);
  });
});

describe('on a VAE', () => {
  const SIZE = 32;
  const make = (): Network => fill(vae({ name: 'tiny', channels: [8, 16], latent: 6, hidden: 10, inputSize: SIZE }, PIXELS), 6);

  it('lowers the logit with every step to below, starts at the decoded mean code, and answers the same twice', () => {
    const network = make();
    open = network;
    const x = image(1, SIZE);
    const { logits, decoded } = network.forward(x, 'inference');
    for (const finding of [0, 3, 13]) {
      const start = logits.dataSync()[finding]!;
      const belowLogit = start - 0.6;
      const found = walk(network, x, finding, { belowLogit, steps: 100, stepSize: 0.1 });
      expect(found.logits[0]).toBeCloseTo(start, 5);
      expect(found.logits.every((logit, i) => i === 0 || logit < found.logits[i - 1]!)).toBe(true);
      expect(found.logits.findIndex((logit) => logit < belowLogit)).toBe(found.logits.length - 1);
      expect(Math.max(...found.strip[0]!.map((value, i) => Math.abs(value - decoded!.dataSync()[i]!)))).toBeLessThan(1e-6);
      expect(Math.max(...found.map)).toBeGreaterThan(0);
      expect(walk(network, x, finding, { belowLogit, steps: 100, stepSize: 0.1 })).toEqual(found);
    }
  });

  it('leaves no tensor and no statistic changed', () => {
    const network = make();
    open = network;
    const x = image(1, SIZE);
    const before = [...network.statistics.values()].map((one) => [...one.dataSync()]);
    const count = tf.memory().numTensors;
    walk(network, x, 5, { belowLogit: -100, steps: 4 });
    expect(tf.memory().numTensors).toBe(count);
    expect([...network.statistics.values()].map((one) => [...one.dataSync()])).toEqual(before);
  });
});

it('refuses a network without codes', () => {
  open = densenet({ name: 'dense', blocks: [1], growth: 4, stem: 4, inputSize: 32 }, PIXELS);
  const network = open;
  expect(() => walk(network, image(1, 32), 0, { belowLogit: 0, steps: 1 })).toThrow(
    expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining('dense has no codes') }),
  );
});
