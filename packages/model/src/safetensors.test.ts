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

  it("are read without PyTorch's counters of 64 bits", () => {
    const counted = file({ 'norm.num_batches_tracked': entry([], 0, 8, 'I64'), 'norm.bias': entry([1], 8, 12) }, 12);
    expect([...decodeSafetensors(counted, 'file').tensors]).toEqual([['norm.bias', { shape: [1], data: Float32Array.of(0) }]]);
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
    ['a tensor that is a number', file({ a: 3 }), 'UNSUPPORTED', 'tensor a has type undefined'],
    ['another type', file({ a: entry([1], 0, 2, 'F16') }, 2), 'UNSUPPORTED', 'type F16'],
    ['whole numbers', file({ bias: entry([1], 0, 8, 'I64') }, 8), 'UNSUPPORTED', 'type I64'],
    ['a counter cut short', file({ num_batches_tracked: entry([], 0, 4, 'I64') }, 4), 'CORRUPT', 'expected 8'],
    ['a negative offset', file({ a: entry([1], -4, 0) }), 'CORRUPT', 'no proper shape'],
    ['a shape with half a row', file({ a: entry([0.5], 0, 2) }, 2), 'CORRUPT', 'no proper shape'],
    ['fewer bytes than the shape', file({ a: entry([2], 0, 4) }, 4), 'CORRUPT', 'expected 8'],
    ['overlapping tensors', file({ a: entry([1], 0, 4), b: entry([1], 0, 4) }, 4), 'CORRUPT', 'overlap'],
    ['a gap', file({ a: entry([1], 4, 8) }, 8), 'CORRUPT', 'gap'],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }), 'CORRUPT', 'metadata'],
  ])('%s is refused with its code', (_, bytes, code, message) => {
    expect(() => decodeSafetensors(bytes, 'w.safetensors')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
