import { createHash } from 'node:crypto';

/** A seeded stream of numbers. The same seed gives the same stream on every machine. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
  /** Uniform in 0 ... n - 1. */
  int(n: number): number;
  /** Standard normal. */
  normal(): number;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/** The project's only random generator: xoshiro128** (Blackman and Vigna 2018), seeded by the SHA-256 of the seed's text. */
export function random(seed: number | string): Random {
  const digest = createHash('sha256').update(String(seed)).digest();
  return randomFrom([0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset)));
}

/** The stream from four 32-bit words of state, not all zero. */
export function randomFrom(state: readonly number[]): Random {
  let [a, b, c, d] = state.map((word) => word | 0) as [number, number, number, number];

  function word(): number {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  }

  function next(): number {
    const high = word() >>> 5;
    return (high * 0x4000000 + (word() >>> 6)) / 0x20000000000000;
  }

  // Marsaglia's polar method; the second number is dropped, so that the state is the four words and nothing else.
  function normal(): number {
    for (;;) {
      const u = 2 * next() - 1;
      const v = 2 * next() - 1;
      const radius = u * u + v * v;
      if (radius > 0 && radius < 1) return u * Math.sqrt((-2 * Math.log(radius)) / radius);
    }
  }

  const int = (n: number): number => Math.floor(next() * n);

  function shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last -= 1) {
      const other = int(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
    }
    return shuffled;
  }

  return { next, int, normal, shuffle };
}
