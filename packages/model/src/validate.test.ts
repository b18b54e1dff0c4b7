import { random } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { batchBeta, bceLosses } from './losses/bce.ts';
import { objectiveOf } from './methods.ts';
import { setLoss, tableAuc } from './validate.ts';

const IMAGES = 40;
const { next, normal } = random('validate');
const logits = Float32Array.from({ length: IMAGES * 14 }, () => 3 * normal());
const labels = Uint8Array.from({ length: IMAGES * 14 }, () => (next() < 0.1 ? 1 : 0));

describe('the validation loss', () => {
  it('is Eq. 1 over the whole set, as the training loss would give it in one batch', () => {
    const beta = batchBeta(labels);
    const expected = tf.tidy(
      () =>
        tf.mean(bceLosses(tf.tensor2d(logits, [IMAGES, 14]), tf.tensor2d(Float32Array.from(labels), [IMAGES, 14]), beta)).dataSync()[0]!,
    );
    expect(setLoss(objectiveOf('baseline'), logits, { labels, beta })).toBeCloseTo(expected, 3);
  });

  it('stays finite for logits that saturate the sigmoid', () => {
    expect(setLoss(objectiveOf('baseline'), Float32Array.of(...new Array(14).fill(1000)), { labels: new Uint8Array(14), beta: 1 })).toBe(
      14_000,
    );
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
