import { type PreparedData, random } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { lossGraphs } from './loss-graphs.ts';
import { batchBeta } from './losses/bce.ts';
import { objectiveOf } from './methods.ts';
import type { Network } from './networks/network.ts';
import { defaultOptions } from './spec/index.ts';
import { cleanPass, mean, tableAuc } from './validate.ts';

// More than one batch, the last one incomplete.
const IMAGES = 40;
const SIDE = 4;
const PIXELS = SIDE * SIDE;
const rows = Array.from({ length: IMAGES }, (_, row) => row);

/** A network whose logits are the first 14 pixels: -scale at black, scale at white. */
function pixelNetwork(scale: number): Network {
  return {
    name: 'pixels',
    inputSize: SIDE,
    featureShape: [SIDE, SIDE, 1],
    parameters: new Map(),
    statistics: new Map(),
    evidence: { kind: 'cam', headWeights: () => tf.ones([1, 14]) },
    noiseSize: 0,
    forward(x) {
      const first = tf.slice(tf.reshape(x, [-1, PIXELS]), [0, 0], [-1, 14]);
      return { features: x, logits: tf.mul(tf.sub(tf.mul(first, 2), 1), scale) };
    },
    dispose: () => undefined,
  };
}

/** What a loss over images looks at. */
function dataOf(pixels: (row: number) => Uint8Array, labels: Uint8Array): PreparedData {
  const data: Pick<PreparedData, 'size' | 'pixels' | 'labels'> = { size: SIDE, pixels, labels };
  return data as PreparedData;
}

describe('the validation loss', () => {
  const train = defaultOptions('baseline');

  async function passOf(scale: number, data: PreparedData, beta: number) {
    const graphs = lossGraphs(pixelNetwork(scale), { objective: objectiveOf('baseline', train), method: 'baseline', train, size: 32 });
    const found = await cleanPass(graphs, data, { rows, beta, what: 'test' });
    graphs.dispose();
    return found;
  }

  it('is Eq. 1 over the whole set, beta once, mean over the images: in double precision by the formula', async () => {
    const { next } = random('validate');
    const images = rows.map(() => Uint8Array.from({ length: PIXELS }, () => 256 * next()));
    const labels = Uint8Array.from({ length: IMAGES * 14 }, () => (next() < 0.1 ? 1 : 0));
    const beta = batchBeta(labels);
    const before = tf.memory().numTensors;
    const { logits, losses } = await passOf(
      3,
      dataOf((row) => images[row]!, labels),
      beta,
    );
    expect(tf.memory().numTensors).toBe(before);
    const expected = rows.map((row) =>
      Array.from({ length: 14 }, (_, finding) => {
        const z = 3 * ((2 * images[row]![finding]!) / 255 - 1);
        expect(logits[row * 14 + finding]).toBeCloseTo(z, 5);
        const p = 1 / (1 + Math.exp(-z));
        return labels[row * 14 + finding] ? -beta * Math.log(p) : -Math.log(1 - p);
      }).reduce((a, b) => a + b),
    );
    for (const [row, loss] of losses.entries()) expect(loss / expected[row]!).toBeCloseTo(1, 5);
    expect(mean(losses) / (expected.reduce((a, b) => a + b) / IMAGES)).toBeCloseTo(1, 6);
  });

  it('stays finite for logits that saturate the sigmoid', async () => {
    const white = dataOf(() => new Uint8Array(PIXELS).fill(255), new Uint8Array(IMAGES * 14));
    const { losses } = await passOf(1000, white, 1);
    expect(mean(losses)).toBe(14_000);
  });
});

it('the AUC is the mean over findings that have both classes', () => {
  const scores = new Float32Array(3 * 14);
  const truth = new Uint8Array(3 * 14);
  scores.set([1, 2, 3].flatMap((score) => [score, -score, ...new Array(12).fill(0)]));
  truth[2 * 14] = 1;
  truth[2 * 14 + 1] = 1;
  expect(tableAuc(scores, truth)).toBe(0.5);
  expect(tableAuc(scores, new Uint8Array(3 * 14))).toBeNull();
});
