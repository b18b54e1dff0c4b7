import { readFileSync } from 'node:fs';
import { requireOrSkip } from '@cxr-lens/data/testing';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

const tensors = new Map([
  ['network.b.kernel', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6.5) }],
  ['network.a.bias', { shape: [2], data: Float32Array.of(-1, 1e-30) }],
  ['scalar', { shape: [], data: Float32Array.of(7) }],
]);

/** A file with this header and as many bytes of data. */
function file(header: unknown, data = 0): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const sentence = expect.objectContaining({
  code: expect.stringMatching(/^(CORRUPT|UNSUPPORTED)$/),
  message: expect.stringMatching(/^w\.safetensors\b/),
});

const entry = (shape: unknown, begin: unknown, end: unknown, dtype = 'F32') => ({ dtype, shape, data_offsets: [begin, end] });

describe('safetensors', () => {
  it('come back as they were written, with their metadata', () => {
    const read = decodeSafetensors(encodeSafetensors(tensors, { epoch: 'é 3' }), 'file');
    expect(read.metadata).toEqual({ epoch: 'é 3' });
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...tensors].sort()));
  });

  it('are the same bytes whatever the order, the data on a multiple of 8', () => {
    const bytes = encodeSafetensors(tensors, { a: 'é' });
    expect(encodeSafetensors(new Map([...tensors].reverse()), { a: 'é' })).toEqual(bytes);
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  it('are read from the middle of a larger buffer', () => {
    const bytes = encodeSafetensors(tensors);
    const shifted = new Uint8Array(bytes.length + 3).subarray(3);
    shifted.set(bytes);
    expect(decodeSafetensors(shifted, 'file').tensors.get('scalar')!.data).toEqual(Float32Array.of(7));
  });

  it('are refused by the writer when values and shape disagree', () => {
    expect(() => encodeSafetensors(new Map([['x', { shape: [3], data: new Float32Array(2) }]]))).toThrow('Tensor x is 3 and has 2 values');
  });

  it.each([
    ['I64', 8],
    ['F32', 4],
    ['F16', 2],
    ['U8', 1],
    ['F64', 8],
    ['F8_E4M3', 1],
  ])("are read without PyTorch's counters, of type %s too", (dtype, width) => {
    for (const name of ['num_batches_tracked', 'norm.num_batches_tracked', 'n_averaged']) {
      const counted = file({ [name]: entry([], 0, width, dtype), 'norm.bias': entry([1], width, width + 4) }, width + 4);
      expect([...decodeSafetensors(counted, 'file').tensors]).toEqual([['norm.bias', { shape: [1], data: Float32Array.of(0) }]]);
    }
  });

  it('are read with metadata that is null, and with tensors of no values', () => {
    const read = decodeSafetensors(file({ __metadata__: null, none: entry([0, 3], 0, 0) }), 'file');
    expect(read).toEqual({ tensors: new Map([['none', { shape: [0, 3], data: new Float32Array(0) }]]), metadata: {} });
  });

  const whole = encodeSafetensors(tensors);
  it.each([
    ['nothing', new Uint8Array(3), 'CORRUPT', 'has 3 bytes'],
    ['cut off in the header', whole.subarray(0, 30), 'CORRUPT', 'claims a header'],
    ['cut off in the data', whole.subarray(0, whole.length - 1), 'CORRUPT', 'cut off'],
    ['with bytes after the data', Uint8Array.of(...whole, 0), 'CORRUPT', 'end at byte'],
    ['an HTML page', Buffer.from('<!doctype html><title>404</title>'), 'CORRUPT', 'no safetensors file'],
    ['a header that is no JSON', file('{"a":'), 'CORRUPT', 'no JSON'],
    ['a header that is a list', file([]), 'CORRUPT', 'no JSON object'],
    [
      'another type',
      file({ a: entry([1], 0, 2, 'F16') }, 2),
      'UNSUPPORTED',
      'tensor a has type F16; F32 is read. scripts/to-safetensors.py',
    ],
    ['an unknown type', file({ a: entry([1], 0, 2, 'constructor') }, 2), 'UNSUPPORTED', 'type constructor'],
    ['whole numbers', file({ bias: entry([1], 0, 8, 'I64') }, 8), 'UNSUPPORTED', 'type I64'],
    ['a counter cut short', file({ num_batches_tracked: entry([], 0, 4, 'I64') }, 4), 'CORRUPT', 'expected 8'],
    ['a negative offset', file({ a: entry([1], -4, 0) }), 'CORRUPT', 'no proper shape'],
    ['a shape with half a row', file({ a: entry([0.5], 0, 2) }, 2), 'CORRUPT', 'no proper shape'],
    ['fewer bytes than the shape', file({ a: entry([2], 0, 4) }, 4), 'CORRUPT', 'expected 8'],
    ['overlapping tensors', file({ a: entry([1], 0, 4), b: entry([1], 0, 4) }, 4), 'CORRUPT', 'overlap'],
    ['a gap', file({ a: entry([1], 4, 8) }, 8), 'CORRUPT', 'gap'],
    ['an end before the start', file({ a: entry([1], 4, 0) }, 4), 'CORRUPT', 'tensor a ends at byte 0, before its start at 4'],
    ['an end beyond the data', file({ a: entry([2], 0, 8) }, 4), 'CORRUPT', 'tensor a ends at byte 8 of 4 of the data'],
    ['a size beyond all numbers', file({ a: entry(new Array(60).fill(2 ** 53 - 1), 0, 4) }, 4), 'CORRUPT', 'expected Infinity'],
    ['a million sides', file({ a: entry(new Array(1e6).fill(1), 0, 4) }, 4), 'CORRUPT', 'no proper shape and place'],
    ['a million negative sides', file({ a: entry(new Array(1e6).fill(-1), 0, 4) }, 4), 'CORRUPT', 'no proper shape and place'],
    ['a header of 2^64 - 1 bytes', Buffer.alloc(16, 255), 'CORRUPT', 'claims a header of 18446744073709552000 bytes and has 16'],
    ['a header that is no UTF-8', file('{"\\').fill(255, 8), 'CORRUPT', 'no JSON'],
    ['a header of brackets', file('['.repeat(1e6)), 'CORRUPT', 'no JSON'],
    ['a name twice', file('{"a": 1, "b": {"a": "\\""}, "\\u0061": 2}'), 'CORRUPT', 'the header has a twice'],
    ['a field twice', file('{"a": {"dtype": "F32", "shape": [1], "shape": [2]}}'), 'CORRUPT', 'the header has shape twice'],
    ['a name of line breaks', file({ 'a\nb': 3 }), 'CORRUPT', 'tensor "a\\nb" has no proper'],
    ['a name of a million letters', file({ ['a'.repeat(1e6)]: 3 }), 'CORRUPT', `${'a'.repeat(100)}... has no proper`],
    ['metadata that is a text', file({ __metadata__: 'pt' }), 'CORRUPT', 'metadata'],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }), 'CORRUPT', 'metadata'],
  ])('%s is refused with its code', (_, bytes, code, message) => {
    expect(() => decodeSafetensors(bytes, 'w.safetensors')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  const ODD: readonly unknown[] = [
    null,
    true,
    0,
    3,
    -1,
    0.5,
    1e300,
    '',
    'F32',
    'toString',
    [],
    [[]],
    [null],
    ['1'],
    {},
    { toString: 1 },
    { valueOf: 1, length: 2 },
  ];
  it.each(['dtype', 'shape', 'data_offsets'])('of an odd %s are refused with a sentence', (field) => {
    for (const odd of [undefined, ...ODD, [0, 4, 4], [0, '4'], [{ toString: 1 }, 4], { 0: 0, 1: 4, length: 2 }]) {
      if (field === 'dtype' && odd === 'F32') continue;
      const bytes = file({ a: { ...entry([2], 0, 8), [field]: odd } }, 8);
      expect(() => decodeSafetensors(bytes, 'w.safetensors'), JSON.stringify(odd)).toThrow(sentence);
    }
  });

  it('of an odd entry or odd metadata are refused with a sentence', () => {
    for (const odd of ODD) {
      expect(() => decodeSafetensors(file({ a: odd }, 4), 'w.safetensors'), JSON.stringify(odd)).toThrow(sentence);
      if (odd === null || JSON.stringify(odd) === '{}') continue;
      expect(() => decodeSafetensors(file({ __metadata__: odd }, 4), 'w.safetensors'), JSON.stringify(odd)).toThrow(sentence);
      expect(() => decodeSafetensors(file({ __metadata__: { a: odd } }, 4), 'w.safetensors'), JSON.stringify(odd)).toThrow(sentence);
    }
  });

  it('with any byte changed are read or refused with a sentence', () => {
    for (let place = 0; place < whole.length; place++) {
      for (const change of [1, 2, 32, 128, 255]) {
        const changed = Uint8Array.from(whole);
        changed[place]! ^= change;
        try {
          decodeSafetensors(changed, 'w.safetensors');
        } catch (error) {
          expect(error).toEqual(sentence);
        }
      }
    }
  });

  it('that a fuzzer found are refused with a sentence', (ctx) => {
    const bytes = readFileSync(requireOrSkip(ctx, 'samples', 'failing-inputs/safetensors-adfe9a3e'));
    expect(() => decodeSafetensors(bytes, 'w.safetensors')).toThrow(
      'w.safetensors: tensor a has no proper type (such as "F32"); make the file again.',
    );
  });
});
