import { type Random, random } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { toTensor } from '../engine/host-array.ts';
import { tf } from '../engine/tensorflow.ts';
import { l2 } from './l2.ts';
import { linf } from './linf.ts';
import { gaussianNoise } from './noise.ts';
import { spatial } from './spatial.ts';
import type { Threat } from './threat.ts';

const [B, S] = [3, 12] as const;
const EPSILON = 0.05;
// float32 near 1 is 6e-8 apart.
const ROUNDING = 1e-6;
const SEEDS = Array.from({ length: 8 }, (_, seed) => seed);

/** Black and white pixels too, so that [0, 1] matters; one image grey, where it does not. */
function images(seed: number): tf.Tensor4D {
  return tf.tidy(() => {
    const noise = tf.clipByValue(tf.randomUniform([B - 1, S, S, 1], -0.3, 1.3, 'float32', seed), 0, 1);
    return tf.concat([noise, tf.fill([1, S, S, 1], 0.5)]) as tf.Tensor4D;
  });
}

function gradientLike(state: tf.Tensor, seed: number): tf.Tensor {
  return tf.randomNormal(state.shape, 0, 1, 'float32', 100 + seed);
}

/** Of each image. */
function rms(delta: tf.Tensor): number[] {
  return [...tf.sqrt(tf.mean(tf.square(delta), [1, 2, 3])).dataSync()];
}

/** At what the seed draws. */
function started<State extends tf.Tensor>(threat: Threat<State>, x: tf.Tensor4D, seeded: Random): State {
  return threat.init(x, threat.draw(x.shape, seeded).map(toTensor));
}

const greatest = (values: tf.Tensor): number => tf.max(tf.abs(values)).dataSync()[0]!;

/** Random starts and steps from the image, half and three times the threat's size. */
function reached(threat: Threat, x: tf.Tensor4D, seed: number): tf.Tensor[] {
  const starts = [threat.init(x, null), started(threat, x, random(seed))];
  const steps = [0.5, 3].flatMap((share) => starts.map((state) => threat.project(threat.step(state, gradientLike(state, seed), share), x)));
  return [...starts, ...steps];
}

const PIXELS: [string, Threat, (delta: tf.Tensor) => number][] = [
  ['linf', linf(EPSILON), greatest],
  ['l2', l2(EPSILON), (delta) => Math.max(...rms(delta))],
];

describe.each(PIXELS)('%s', (_name, threat, size) => {
  it.each(SEEDS)('seed %i: every start and step stays within epsilon and [0, 1]', (seed) => {
    tf.tidy(() => {
      const x = images(seed);
      const all = reached(threat, x, seed).map((state) => threat.apply(state, x));
      const sizes = all.map((moved) => size(tf.sub(moved, x)));
      for (const [index, moved] of all.entries()) {
        expect(sizes[index]).toBeLessThanOrEqual(EPSILON + ROUNDING);
        expect(tf.min(moved).dataSync()[0]).toBeGreaterThanOrEqual(0);
        expect(tf.max(moved).dataSync()[0]).toBeLessThanOrEqual(1);
      }
      // Long steps reach the border: the limit above is not empty.
      expect(Math.max(...sizes)).toBeGreaterThan(0.999 * EPSILON);
    });
  });

  it('leaves an allowed image alone, and the image itself bit by bit', () => {
    tf.tidy(() => {
      const x = images(0);
      const inside = tf.clipByValue(tf.add(x, tf.randomUniform(x.shape, -0.9 * EPSILON, 0.9 * EPSILON, 'float32', 5)), 0, 1);
      expect(greatest(tf.sub(threat.project(inside, x), inside))).toBeLessThan(ROUNDING);
      expect(greatest(tf.sub(threat.project(x, x), x))).toBe(0);
    });
  });

  it('of size 0 changes nothing', () => {
    tf.tidy(() => {
      const x = images(0);
      const none = threat === PIXELS[0]![1] ? linf(0) : l2(0);
      for (const state of reached(none, x, 1)) expect(greatest(tf.sub(state, x))).toBe(0);
    });
  });
});

describe('linf', () => {
  it('starts uniformly in [-epsilon, epsilon]', () => {
    tf.tidy(() => {
      const x = tf.fill([4, 64, 64, 1], 0.5) as tf.Tensor4D;
      const delta = tf.sub(started(linf(EPSILON), x, random(0)), x);
      expect(tf.mean(delta).dataSync()[0]! / EPSILON).toBeCloseTo(0, 1);
      // Of a uniform variable; 16,384 draws.
      expect(Math.sqrt(tf.mean(tf.square(delta)).dataSync()[0]!) / EPSILON).toBeCloseTo(1 / Math.sqrt(3), 2);
    });
  });
});

describe('l2', () => {
  it.each([12, 24])('a full step at size %i is epsilon in the root mean square, along the gradient', (side) => {
    tf.tidy(() => {
      const x = tf.fill([2, side, side, 1], 0.5) as tf.Tensor4D;
      // 1e-25: a saturated image's gradient, whose square is no float32.
      const gradient = tf.mul(tf.randomNormal(x.shape, 0, 1, 'float32', 1), tf.tensor4d([1, 1e-25], [2, 1, 1, 1])) as tf.Tensor4D;
      const delta = tf.sub(l2(EPSILON).step(x, gradient, 1), x);
      for (const one of rms(delta)) expect(one).toBeCloseTo(EPSILON, 5);
      const [along, whole] = [gradient, delta].map((values) => tf.div(values, tf.max(tf.abs(values), [1, 2, 3], true)));
      expect(greatest(tf.sub(along!, whole!))).toBeLessThan(1e-4);
    });
  });

  it('stays where the gradient is zero', () => {
    tf.tidy(() => {
      const x = images(0);
      expect(greatest(tf.sub(l2(EPSILON).step(x, tf.zerosLike(x), 1), x))).toBe(0);
    });
  });

  it('brings an image from outside back along the straight line', () => {
    tf.tidy(() => {
      const x = tf.fill([1, S, S, 1], 0.5) as tf.Tensor4D;
      const delta = tf.randomNormal(x.shape, 0, 0.08, 'float32', 1);
      const kept = tf.sub(l2(EPSILON).project(tf.add(x, delta), x), x);
      expect(greatest(tf.sub(kept, tf.mul(delta, EPSILON / rms(delta)[0]!)))).toBeLessThan(ROUNDING);
    });
  });
});

describe('gaussianNoise', () => {
  it('has a standard deviation of epsilon, and no step changes it', () => {
    tf.tidy(() => {
      const x = tf.fill([4, 64, 64, 1], 0.5) as tf.Tensor4D;
      const threat = gaussianNoise(EPSILON);
      const moved = started(threat, x, random(0));
      expect(Math.sqrt(tf.mean(tf.square(tf.sub(moved, x))).dataSync()[0]!) / EPSILON).toBeCloseTo(1, 1);
      // Of a normal distribution 5 % lie beyond 1.96 standard deviations.
      const far = tf.mean(tf.cast(tf.greater(tf.abs(tf.sub(moved, x)), 1.96 * EPSILON), 'float32')).dataSync()[0]!;
      expect(far).toBeCloseTo(0.05, 2);
      const stepped = threat.project(threat.step(moved, tf.onesLike(x), 1), x);
      expect(greatest(tf.sub(stepped, moved))).toBe(0);
    });
  });

  it.each(SEEDS)('seed %i: stays in [0, 1]', (seed) => {
    tf.tidy(() => {
      const moved = started(gaussianNoise(0.5), images(seed), random(seed));
      expect(tf.min(moved).dataSync()[0]).toBe(0);
      expect(tf.max(moved).dataSync()[0]).toBe(1);
    });
  });
});

describe('spatial', () => {
  it.each(SEEDS)('seed %i: every start and step stays within the limits, and the images in [0, 1]', (seed) => {
    tf.tidy(() => {
      const x = images(seed);
      const threat = spatial();
      const states = reached(threat, x, seed);
      for (const state of states) {
        expect(greatest(state)).toBeLessThanOrEqual(1);
        const moved = threat.apply(state as tf.Tensor2D, x);
        expect(tf.min(moved).dataSync()[0]).toBeGreaterThanOrEqual(0);
        expect(tf.max(moved).dataSync()[0]).toBeLessThanOrEqual(1 + ROUNDING);
      }
      expect(greatest(states.at(-1)!)).toBe(1);
    });
  });

  it('at the image is the image bit by bit', () => {
    tf.tidy(() => {
      const x = images(0);
      const threat = spatial();
      expect([...threat.apply(threat.init(x, null), x).dataSync()]).toEqual([...x.dataSync()]);
    });
  });

  it('at its limits turns by 15 degrees and shifts by a tenth of the side, each image by its own state', () => {
    tf.tidy(() => {
      const side = 40;
      const shape: [number, number, number, number] = [3, side, side, 1];
      const spot = tf.buffer(shape);
      for (let image = 0; image < 3; image++) spot.set(1, image, 19, 29, 0);
      const states = tf.tensor2d([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, -1],
      ]);
      const moved = spatial().apply(states, spot.toTensor() as tf.Tensor4D);
      // Where the spot's centre of mass is, from the image's centre, which is at 19.5.
      const axis = tf.sub(tf.range(0, side), 19.5);
      const mass = tf.sum(moved, [1, 2, 3]);
      const [right, down] = [
        [1, side, 1],
        [side, 1, 1],
      ].map((as) => tf.div(tf.sum(tf.mul(moved, tf.reshape(axis, [1, ...as])), [1, 2, 3]), mass).dataSync());
      const angle = (15 * Math.PI) / 180;
      // Clockwise, y down: (9.5, -0.5) turned.
      const expected = [
        [9.5 * Math.cos(angle) + 0.5 * Math.sin(angle), 9.5 * Math.sin(angle) - 0.5 * Math.cos(angle)],
        [13.5, -0.5],
        [9.5, -4.5],
      ];
      for (const [image, [x, y]] of expected.entries()) {
        // The spot is spread over up to four pixels unevenly.
        expect(Math.abs(right![image]! - x!)).toBeLessThan(0.15);
        expect(Math.abs(down![image]! - y!)).toBeLessThan(0.15);
      }
    });
  });

  it('has limits that can be chosen', () => {
    tf.tidy(() => {
      const x = images(0);
      const turned = spatial({ rotation: 90, translation: 0.5 }).apply(tf.tensor2d([1, 0, 0, 1, 0, 0, 1, 0, 0], [3, 3]), x);
      expect(greatest(tf.sub(turned, tf.reverse(tf.transpose(x, [0, 2, 1, 3]), 2)))).toBeLessThan(1e-5);
    });
  });
});

describe.each([...PIXELS.map(([name, threat]) => [name, threat] as const), ['spatial', spatial()], ['noise', gaussianNoise(0.1)]] as const)(
  '%s',
  (_name, threat: Threat) => {
    it('draws the same from the same seed, another from another', () => {
      tf.tidy(() => {
        const x = images(0);
        const start = (seed: number): number[] => [...started(threat, x, random(seed)).dataSync()];
        expect(start(1)).toEqual(start(1));
        expect(start(1)).not.toEqual(start(2));
      });
    });
  },
);
