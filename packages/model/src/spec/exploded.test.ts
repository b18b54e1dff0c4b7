import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { batchBeta, bceLosses } from '../losses/bce.ts';
import { weightedCeLosses } from '../losses/weighted-ce.ts';
import { evenOddsLoss, explodedNote, lossText } from './exploded.ts';
import { defaultOptions, METHOD_NAMES, type MethodName } from './index.ts';

const trained = (method: MethodName, ...losses: number[]) => ({
  method,
  options: defaultOptions(method),
  epochs: losses.map((validationLoss, index) => ({ epoch: index + 1, validationLoss })),
  bestEpoch: losses.indexOf(Math.min(...losses)) + 1,
});

describe('evenOddsLoss', () => {
  it.each([0.005, 0.05, 0.5, 0.9])('is never passed by even odds, where %d of the labels are positive', (share) => {
    const labels = Float32Array.from({ length: 140 }, (_, i) => (i < share * 140 ? 1 : 0));
    const beta = batchBeta(labels);
    const [eq1, wCel, plain] = tf.tidy(() => {
      const [z, y] = [tf.zeros<tf.Rank.R2>([10, 14]), tf.tensor2d(labels, [10, 14])];
      return [bceLosses(z, y, beta), weightedCeLosses(z, y, beta), bceLosses(z, y, 1)].map((losses) => tf.mean(losses).dataSync()[0]!);
    });
    const most = (method: MethodName) => evenOddsLoss({ method, options: defaultOptions(method) }) + 1e-4;
    expect(eq1).toBeLessThanOrEqual(most('baseline'));
    expect(wCel).toBeCloseTo(most('nih'), 2);
    expect(plain).toBeCloseTo(most('chexnet'), 2);
    expect(most('baseline')).toBeLessThan(20);
  });
});

describe('explodedNote', () => {
  it.each(METHOD_NAMES)('is null for %s at twice the loss of even odds, and a sentence at a hundred times', (method) => {
    const chance = evenOddsLoss(trained(method));
    expect(explodedNote(trained(method, 2 * chance))).toBeNull();
    expect(explodedNote(trained(method, 100 * chance))).toMatch(
      new RegExp(`exploded: .* at the best epoch \\(1\\), where even odds for every finding have ${chance.toFixed(1)} at most`),
    );
  });

  it('goes by the best epoch, whose weights are kept, also while it trains', () => {
    expect(explodedNote(trained('baseline', 3.6e11))).toContain('3.600e+11 at the best epoch (1)');
    expect(explodedNote(trained('baseline', 3.6e11, 17))).toBeNull();
    expect(explodedNote(trained('baseline', 17, 3.6e11))).toBeNull();
    expect(explodedNote({ ...trained('baseline'), bestEpoch: null })).toBeNull(); // imported weights
  });

  it('is of short healthy trainings null: one epoch of five steps on phantoms', () => {
    for (const [method, loss] of [
      ['baseline', 18.42],
      ['chexnet', 6.71],
      ['generative', 22.3],
    ] as const) {
      expect(explodedNote(trained(method, loss))).toBeNull();
    }
  });
});

it('writes losses that can be read', () => {
  expect([17.08912, 999_999, 364166961561.6, 6.9e22].map(lossText)).toEqual(['17.0891', '999999.0000', '3.642e+11', '6.900e+22']);
});
