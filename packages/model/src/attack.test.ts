import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackOptions, type Losses, seededAttack } from './attack.ts';
import { tf } from './engine/tensorflow.ts';
import { bceLosses } from './losses/bce.ts';
import { densenet } from './networks/densenet.ts';
import type { Mode, Network } from './networks/network.ts';
import { NETWORKS } from './spec/networks.ts';
import { l2 } from './threats/l2.ts';
import { linf } from './threats/linf.ts';
import { gaussianNoise } from './threats/noise.ts';
import { spatial } from './threats/spatial.ts';
import type { Threat } from './threats/threat.ts';

const EPSILON = 0.005;
// float32 near 1 is 6e-8 apart.
const ROUNDING = 1e-7;
const B = 4;

const FGSM = { steps: 1, start: 'image', candidates: 1, keep: 'last', seed: 0 } as const satisfies AttackOptions;
const PGD5 = { ...FGSM, steps: 5 } as const satisfies AttackOptions;

const THREATS: [string, Threat][] = [
  ['linf', linf(EPSILON)],
  ['l2', l2(EPSILON)],
  ['spatial', spatial()],
];

let network: Network;
let x: tf.Tensor4D;
let y: tf.Tensor2D;
beforeAll(() => {
  const table = { ...NETWORKS['truncated-densenet121'].small, name: 'truncated-densenet121', inputSize: 96 };
  network = densenet(table, { mean: 0.5, std: 0.25, seed: 0 });
  // Black and white pixels too, so that clipping to [0, 1] matters.
  x = tf.tidy(() => tf.clipByValue(tf.randomUniform([B, 96, 96, 1], -0.3, 1.3, 'float32', 1), 0, 1) as tf.Tensor4D);
  y = tf.tidy(() => tf.cast(tf.less(tf.randomUniform([B, 14], 0, 1, 'float32', 2), 0.2), 'float32') as tf.Tensor2D);
});
afterAll(() => {
  tf.disposeVariables();
});

const lossesOf =
  (mode: Mode): Losses =>
  (input) =>
    bceLosses(network.forward(input, mode).logits, y, 4);
const statistics = (): number[] => [...network.statistics.values()].flatMap((variable) => [...variable.dataSync()]);
const values = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];
const mean = (tensor: tf.Tensor): number => tf.mean(tensor).dataSync()[0]!;
const greatest = (tensor: tf.Tensor): number => tf.max(tf.abs(tensor)).dataSync()[0]!;

describe('attack', () => {
  it('FGSM moves every pixel by epsilon along the sign of the gradient of the mean loss, within [0, 1], and raises it', () => {
    tf.tidy(() => {
      const losses = lossesOf('frozen-batch');
      const moved = seededAttack(losses, x, linf(EPSILON), FGSM);
      const gradient = tf.grad((input) => tf.mean(losses(input as tf.Tensor4D)))(x);
      const expected = tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), EPSILON)), 0, 1);
      expect(values(moved)).toEqual(values(expected));
      expect(mean(losses(moved))).toBeGreaterThan(mean(losses(x)));
    });
  });

  it.each(THREATS)('%s: no image of PGD that keeps the worst is weaker than FGSM', (_name, threat) => {
    tf.tidy(() => {
      const losses = lossesOf('inference');
      const [once, often] = [FGSM, { ...PGD5, keep: 'worst' as const }].map((options) =>
        values(losses(seededAttack(losses, x, threat, options))),
      );
      for (let image = 0; image < B; image++) expect(often![image]).toBeGreaterThanOrEqual(once![image]! * (1 - 1e-6));
    });
  });

  it('of several steps stays within epsilon and, from either start, reaches more than FGSM', () => {
    tf.tidy(() => {
      const losses = lossesOf('inference');
      const once = mean(losses(seededAttack(losses, x, linf(EPSILON), FGSM)));
      for (const start of ['image', 'random'] as const) {
        const often = seededAttack(losses, x, linf(EPSILON), { ...PGD5, steps: 10, start });
        expect(greatest(tf.sub(often, x))).toBeLessThanOrEqual(EPSILON + ROUNDING);
        expect(mean(losses(often))).toBeGreaterThan(once);
      }
    });
  });

  it("leaves batch norm's averages and the tensor count as they were", () => {
    const before = statistics();
    const count = tf.memory().numTensors;
    for (const [, threat] of [...THREATS, ['noise', gaussianNoise(EPSILON)] as const]) {
      seededAttack(lossesOf('frozen-batch'), x, threat, FGSM).dispose();
      seededAttack(lossesOf('inference'), x, threat, { steps: 2, start: 'random', candidates: 2, keep: 'worst', seed: 1 }).dispose();
    }
    expect(statistics()).toEqual(before);
    expect(tf.memory().numTensors).toBe(count);
    // The averages can move: the check above is not empty.
    tf.tidy(() => {
      network.forward(x, 'train');
    });
    expect(statistics()).not.toEqual(before);
  });
});

describe('attack on losses written out', () => {
  const SIDE = 8;
  const size = 0.1;
  const grey = tf.fill([3, SIDE, SIDE, 1], 0.5) as tf.Tensor4D;
  const share = (input: tf.Tensor4D): tf.Tensor => tf.div(tf.sub(input, grey), size);
  const perImage = (pixels: tf.Tensor): tf.Tensor1D => tf.mean(pixels, [1, 2, 3]);
  /** A hill at 0.3 epsilon, lower than the border: small steps stay on it. */
  const hilly: Losses = (input) => {
    const delta = share(input);
    return perImage(tf.add(tf.mul(delta, 2), tf.sin(tf.mul(delta, 2 * Math.PI))));
  };

  it('keeping the last step ends where it ends, keeping the worst is never weaker than FGSM', () => {
    tf.tidy(() => {
      const reached = (options: AttackOptions): number => mean(hilly(seededAttack(hilly, grey, linf(size), options)));
      const [once, last, worst] = [FGSM, PGD5, { ...PGD5, keep: 'worst' as const }].map(reached);
      expect(once).toBeCloseTo(2, 4);
      expect(last).toBeLessThan(1.7);
      expect(worst).toBeCloseTo(2, 4);
    });
  });

  it('keeping the worst of one step keeps the image where the step lowers the loss', () => {
    tf.tidy(() => {
      // Rises at the image, is lower at epsilon: sin(3 pi / 2) = -1.
      const falling: Losses = (input) => perImage(tf.sin(tf.mul(share(input), 1.5 * Math.PI)));
      expect(mean(falling(seededAttack(falling, grey, linf(size), FGSM)))).toBeCloseTo(-1, 4);
      expect(values(seededAttack(falling, grey, linf(size), { ...FGSM, keep: 'worst' }))).toEqual(values(grey));
    });
  });

  it('worst of k keeps of each image the start with the greatest loss, the untouched image among them', () => {
    tf.tidy(() => {
      const wanted = tf.tensor4d([1, -1, 0], [3, 1, 1, 1]);
      // The first image shall be bright, the second dark, the third as it was.
      const losses: Losses = (input) =>
        tf.sub(perImage(tf.mul(share(input), wanted)), tf.mul(perImage(tf.abs(share(input))), [0, 0, 1])) as tf.Tensor1D;
      const worstOf = (candidates: number): tf.Tensor4D =>
        seededAttack(losses, grey, linf(size), { steps: 0, start: 'image', candidates, keep: 'last', seed: 4 });
      expect(values(worstOf(1))).toEqual(values(grey));
      const [few, many] = [worstOf(4), worstOf(12)].map((moved) => values(losses(moved)));
      for (let image = 0; image < 3; image++) expect(many![image]).toBeGreaterThanOrEqual(few![image]!);
      expect(many![0]).toBeGreaterThan(0);
      expect(many![1]).toBeGreaterThan(0);
      expect(values(tf.slice(worstOf(12), [2, 0, 0, 0], [1, SIDE, SIDE, 1]))).toEqual(
        values(tf.slice(grey, [2, 0, 0, 0], [1, SIDE, SIDE, 1])),
      );
    });
  });

  it('does the same with the same seed, and another thing with another', () => {
    tf.tidy(() => {
      const bent: Losses = (input) => perImage(tf.square(share(input)));
      for (const threat of [linf(size), l2(size), gaussianNoise(size)]) {
        const moved = (seed: number): number[] =>
          values(seededAttack(bent, grey, threat, { steps: 2, start: 'random', candidates: 2, keep: 'last', seed }));
        expect(moved(1)).toEqual(moved(1));
        expect(moved(1)).not.toEqual(moved(2));
      }
    });
  });

  it('computes no more passes than its steps need where the last step is kept', () => {
    let passes = 0;
    const counted: Losses = (input) => {
      passes += 1;
      return hilly(input);
    };
    const passesOf = (options: AttackOptions): number => {
      passes = 0;
      seededAttack(counted, grey, linf(size), options).dispose();
      return passes;
    };
    expect(passesOf(FGSM)).toBe(1);
    expect(passesOf(PGD5)).toBe(5);
    expect(passesOf({ ...PGD5, keep: 'worst' })).toBe(7);
    expect(passesOf({ ...FGSM, steps: 0, candidates: 10 })).toBe(10);
    expect(passesOf({ ...FGSM, steps: 0, start: 'random' })).toBe(0);
  });

  it('finds the rotation and the shift that a loss asks for', () => {
    tf.tidy(() => {
      // Smooth, so that the gradient with respect to the motion leads there; brighter to the upper right.
      const axis = tf.linspace(-1, 1, 32);
      const blob = tf.exp(
        tf.mul(
          -8,
          tf.add(tf.square(tf.reshape(tf.sub(axis, 0.2), [1, 1, 32, 1])), tf.square(tf.reshape(tf.add(axis, 0.3), [1, 32, 1, 1]))),
        ),
      ) as tf.Tensor4D;
      const right: Losses = (input) => tf.sum(tf.mul(input, tf.reshape(axis, [1, 1, 32, 1])), [1, 2, 3]) as tf.Tensor1D;
      const threat = spatial();
      const moved = seededAttack(right, blob, threat, { ...PGD5, steps: 10 });
      // To the right as far as it goes, and turned clockwise: what is above the centre goes right.
      const best = threat.apply(tf.tensor2d([[1, 1, 0]]), blob);
      const [before, after, limit] = [blob, moved, best].map((input) => mean(right(input)));
      expect(after! - before!).toBeGreaterThan(0.9 * (limit! - before!));
    });
  });
});
