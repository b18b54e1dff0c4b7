import type { Random } from '@cxr-lens/data';

/** An input is never larger: what is too large is tested elsewhere. */
const MAX_BYTES = 256 * 1024;

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  -1e308,
  2 ** 53,
  '',
  'x',
  '\0',
  '\ud800',
  '../../x',
  'a'.repeat(5000),
  [],
  {},
  [[]],
  [null],
];

const pick = <T>(items: readonly T[], { int }: Random): T => items[int(items.length)]!;

/** Changes one to four places of `bytes`; `tokens` are put in where text is read. */
export function mutateBytes(bytes: Buffer, random: Random, tokens: readonly string[] = []): Buffer {
  let changed = Buffer.from(bytes);
  for (let times = 1 + random.int(4) * random.int(2); times > 0; times--) changed = mutateOnce(changed, random, tokens);
  return changed.subarray(0, MAX_BYTES);
}

function mutateOnce(bytes: Buffer, random: Random, tokens: readonly string[]): Buffer<ArrayBuffer> {
  const { int } = random;
  // Headers come first, and are read most.
  const at = int(4) === 0 ? int(bytes.length + 1) : int(Math.min(bytes.length, 512) + 1);
  const end = Math.min(bytes.length, at + 1 + int(32));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (int(tokens.length > 0 ? 8 : 7)) {
    case 0:
      return Buffer.concat([before, Buffer.from([int(256)]), bytes.subarray(Math.min(at + 1, bytes.length))]);
    case 1: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at]! ^= 1 << int(8);
      return flipped;
    }
    case 2:
      return Buffer.from(before);
    case 3:
      return Buffer.concat([before, bytes.subarray(end)]);
    case 4:
      return Buffer.concat([before, bytes.subarray(at, end), after]);
    case 5: {
      const number = Buffer.alloc(4);
      number.writeUInt32LE(pick(NUMBERS, random));
      const part = int(2) === 0 ? number.reverse() : number;
      return Buffer.concat([before, part, bytes.subarray(Math.min(at + 4, bytes.length))]);
    }
    case 6: {
      const from = int(bytes.length + 1);
      return Buffer.concat([before, bytes.subarray(from, from + int(256)), after]);
    }
    default:
      return Buffer.concat([before, Buffer.from(pick(tokens, random)), after]);
  }
}

/** The words, numbers and signs of a text; some of them twice, gone, moved or replaced by one of `tokens`. */
export function mutateWords(text: string, random: Random, tokens: readonly string[]): string {
  const words = text.match(/\w+|\s+|"[^"]*"|[^\w\s]/g) ?? [];
  for (let times = 1 + random.int(4); times > 0 && words.length > 0; times--) {
    const at = random.int(words.length);
    const kind = random.int(4);
    if (kind === 0) words.splice(at, 1);
    else if (kind === 1) words.splice(at, 0, ...words.slice(at, at + 1 + random.int(30)));
    else if (kind === 2) words[at] = pick(tokens, random);
    else words[at] = words[random.int(words.length)]!;
  }
  return words.join('').slice(0, MAX_BYTES);
}

/** A JSON value of which one to three places, at any depth, are something else, gone or twice. */
export function mutateJson(value: unknown, random: Random): unknown {
  const copy: { root: unknown } = { root: structuredClone(value) };
  for (let times = 1 + random.int(3); times > 0; times--) mutateAt(copy, 'root', random);
  return copy.root;
}

function mutateAt(parent: Record<string, unknown> | unknown[], key: string, random: Random): void {
  const holder = parent as Record<string, unknown>;
  const value = holder[key];
  const inside = value !== null && typeof value === 'object' ? Object.keys(value) : [];
  if (inside.length > 0 && random.int(8) > 0) {
    mutateAt(value as Record<string, unknown>, pick(inside, random), random);
    return;
  }
  const kind = random.int(3);
  if (kind === 0) delete holder[key];
  else if (kind === 1 && typeof value === 'number') holder[key] = pick([-value, value + 1, value * 1e9, value / 3], random);
  else holder[key] = pick(VALUES, random);
}
