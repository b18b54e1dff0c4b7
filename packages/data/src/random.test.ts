import { describe, expect, it } from 'vitest';
import { random, randomFrom } from './random.ts';

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('random', () => {
  it('is xoshiro128** (the first words of the published test vector of the Rust crate rand_xoshiro, state 1 2 3 4)', () => {
    const words = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
    const stream = randomFrom([1, 2, 3, 4]);
    for (let i = 0; i < words.length; i += 2) {
      expect(stream.next()).toBe((Math.floor(words[i]! / 32) * 2 ** 26 + Math.floor(words[i + 1]! / 64)) / 2 ** 53);
    }
  });

  it('gives the same stream for the same seed, another for another', () => {
    const take = (stream: ReturnType<typeof random>) => Array.from({ length: 20 }, () => stream.next());
    expect(take(random(7))).toEqual(take(random('7')));
    expect(take(random(7))).not.toEqual(take(random(8)));
  });

  it('is uniform in [0, 1), whole below n, and standard normal', () => {
    const stream = random('moments');
    const uniform = Array.from({ length: 50_000 }, () => stream.next());
    expect(Math.min(...uniform.slice(0, 10_000))).toBeGreaterThanOrEqual(0);
    expect(uniform.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(mean(uniform)).toBeCloseTo(0.5, 2);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i += 1) counts[stream.int(6)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    const normal = Array.from({ length: 50_000 }, () => stream.normal());
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((value) => value * value))).toBeCloseTo(1, 1);
  });

  it('shuffles a copy without losing anything, every place as likely', () => {
    const items = [0, 1, 2, 3, 4];
    const stream = random('shuffle');
    const first = new Array<number>(5).fill(0);
    for (let i = 0; i < 10_000; i += 1) {
      const shuffled = stream.shuffle(items);
      first[shuffled[0]!]! += 1;
      expect(shuffled.reduce((sum, value) => sum + value, 0)).toBe(10);
    }
    expect(items).toEqual([0, 1, 2, 3, 4]);
    for (const count of first) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });
});
