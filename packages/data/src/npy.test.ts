import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeFloat64Npy, decodeNpy, encodeNpy, type NpyType, readNpy, writeNpy } from './npy.ts';
import reference from './tests/fixtures/reference.json' with { type: 'json' };
import { temporaryFolder } from './tests/small-folder.ts';

const cases = Object.entries(reference.npy);
const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64');

describe('NPY', () => {
  it.each(cases)('reads what NumPy wrote: %s', (type, { bytes, shape, values }) => {
    const array = decodeNpy(bytesOf(bytes), `${type}.npy`);
    expect(array.shape).toEqual(shape);
    expect([...array.data]).toEqual(values);
    expect(array.data).toBeInstanceOf(type === 'uint8' ? Uint8Array : Float32Array);
  });

  it.each(cases)('writes the bytes that NumPy writes: %s', (type, { bytes, shape, values }) => {
    const data = type === 'uint8' ? Uint8Array.from(values) : Float32Array.from(values);
    expect(Buffer.compare(encodeNpy(data, shape, type as NpyType), bytesOf(bytes))).toBe(0);
  });

  it('keeps every bit of float64, and reads no other type as such', () => {
    const data = Float64Array.from([1 / 3, 0.1 + 0.2, -0, Number.MIN_VALUE, Number.NaN]);
    expect(decodeFloat64Npy(encodeNpy(data, [5, 1]), 'a.npy')).toEqual({ shape: [5, 1], data });
    expect(() => decodeFloat64Npy(encodeNpy(Float32Array.from([1]), [1]), 'b.npy')).toThrow('b.npy holds numbers of the type <f4');
  });

  it('comes back from a file, special values and the empty shape too', async () => {
    const folder = await temporaryFolder();
    const data = Float32Array.from([1 / 3, -0, Number.NaN, Number.POSITIVE_INFINITY]);
    for (const shape of [[4], [2, 2], [1, 4, 1]]) {
      await writeNpy(path.join(folder, 'a.npy'), data, shape);
      expect(await readNpy(path.join(folder, 'a.npy'))).toEqual({ shape, data });
    }
    await writeNpy(path.join(folder, 'scalar.npy'), data.subarray(0, 1), []);
    expect(await readNpy(path.join(folder, 'scalar.npy'))).toEqual({ shape: [], data: data.subarray(0, 1) });
  });

  it('refuses a wrong shape, and what it cannot read', async () => {
    expect(() => encodeNpy(new Float32Array(5), [2, 3])).toThrow(/does not have the shape/);
    const whole = Buffer.from(encodeNpy(Float32Array.from([1, 2, 3]), [3]));
    expect(() => decodeNpy(whole.subarray(0, whole.length - 1), 'cut.npy')).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    expect(() => decodeNpy(Buffer.from('PK archive .npz'), 'x.npz')).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
    for (const [from, to] of [
      ["'<f4'", "'>f4'"],
      ['False', 'True '],
      ["'<f4'", "'|O '"],
    ] as const) {
      const other = Buffer.from(whole.toString('latin1').replace(from, to), 'latin1');
      expect(() => decodeNpy(other, 'other.npy')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    }
    const folder = await temporaryFolder();
    await expect(readNpy(path.join(folder, 'absent.npy'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await writeFile(path.join(folder, 'empty.npy'), '');
    await expect(readNpy(path.join(folder, 'empty.npy'))).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});
