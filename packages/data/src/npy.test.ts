import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeNpy, encodeNpy, type NpyType, readNpy, writeNpy } from './npy.ts';
import numpy from './tests/fixtures/npy.json' with { type: 'json' };
import reference from './tests/fixtures/reference.json' with { type: 'json' };
import { temporaryFolder } from './tests/small-folder.ts';

const cases = Object.entries(reference.npy);
const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64');

describe('NPY', () => {
  it.each(cases)('reads what NumPy wrote: %s', (type, { bytes, shape, values }) => {
    const array = decodeNpy(bytesOf(bytes), `${type}.npy`);
    expect(array.shape).toEqual(shape);
    expect([...array.data]).toEqual(values);
    expect(array.data).toBeInstanceOf({ uint8: Uint8Array, float64: Float64Array }[type] ?? Float32Array);
  });

  it.each(numpy.accepted)('reads every number of every type, order and format as NumPy does: $name', ({ name, bytes, shape, values }) => {
    const whole = bytesOf(bytes);
    const { shape: read, data } = decodeNpy(whole, name);
    expect(read).toEqual(shape);
    const named: Record<string, number> = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY };
    const expected = values.map((text) => named[text] ?? Number(text));
    // NumPy prints the shortest text of a float16 or float32 as float64, so that equality is exact
    expect([...data]).toEqual(expected);
    const type = /[fiub]\d/.exec(name)?.[0];
    if (type) expect(data).toBeInstanceOf({ f2: Float32Array, f4: Float32Array, u1: Uint8Array }[type] ?? Float64Array);
  });

  it('does not change the bytes it reads, wherever they begin', () => {
    const { bytes, values } = numpy.accepted.find(({ name }) => name === '>f4')!;
    const shifted = Buffer.concat([Buffer.from('x'), bytesOf(bytes)]).subarray(1);
    const before = Buffer.from(shifted);
    for (const _ of [1, 2]) expect([...decodeNpy(shifted, 'twice.npy').data]).toEqual(values.map(Number));
    expect(Buffer.compare(shifted, before)).toBe(0);
  });

  it.each(numpy.refused)('refuses $name (NumPy: $numpy)', ({ code, bytes }) => {
    expect(() => decodeNpy(bytesOf(bytes), 'odd.npy')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining('odd.npy') }),
    );
  });

  it.each([1, 2, 4, 8, 100])('refuses a file cut off after every %i-th byte, and one with bytes too many', (step) => {
    const whole = bytesOf(numpy.accepted[0]!.bytes);
    for (let length = 0; length < whole.length; length += step) {
      expect(() => decodeNpy(whole.subarray(0, length), 'cut.npy')).toThrow(/^cut.npy/);
    }
    expect(() => decodeNpy(Buffer.concat([whole, Buffer.alloc(step)]), 'long.npy')).toThrow(/holds \d+ bytes of data/);
  });

  it('says what to do with objects and large whole numbers, and refuses a header longer than NumPy parses', () => {
    const named = (name: string) => bytesOf(numpy.refused.find((one) => one.name === name)!.bytes);
    expect(() => decodeNpy(named('objects'), 'o.npy')).toThrow(/Python objects, which are never unpickled.*astype/);
    expect(() => decodeNpy(named('a whole number that float64 does not hold'), 'i.npy')).toThrow(/holds 9007199254740993 at place 0/);
    const header = Buffer.from(`{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }${' '.repeat(20_000)}\n`);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(header.length);
    const long = Buffer.concat([Buffer.from('\x93NUMPY\x02\x00', 'latin1'), length, header]);
    expect(() => decodeNpy(long, 'long.npy')).toThrow(/a header of 20058 bytes/);
  });

  it('reads what other programs write: keys in another order, double quotes, long integers of Python 2', () => {
    const header = Buffer.from('{"shape": (2L, 1L,), "fortran_order": False, "descr": "<f4"}');
    const bytes = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([header.length, 0]), header, Buffer.alloc(8)]);
    expect(decodeNpy(bytes, 'other.npy')).toEqual({ shape: [2, 1], data: new Float32Array(2) });
  });

  it.each(cases)('writes the bytes that NumPy writes: %s', (type, { bytes, shape, values }) => {
    const data = type === 'uint8' ? Uint8Array.from(values) : Float32Array.from(values);
    expect(Buffer.compare(encodeNpy(data, shape, type as NpyType), bytesOf(bytes))).toBe(0);
  });

  it('keeps every bit of float64', () => {
    const data = Float64Array.from([1 / 3, 0.1 + 0.2, -0, Number.MIN_VALUE, Number.NaN]);
    expect(decodeNpy(encodeNpy(data, [5, 1]), 'a.npy')).toEqual({ shape: [5, 1], data });
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
    const folder = await temporaryFolder();
    await expect(readNpy(path.join(folder, 'absent.npy'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await writeFile(path.join(folder, 'empty.npy'), '');
    await expect(readNpy(path.join(folder, 'empty.npy'))).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});
