import { FINDINGS, type PreparedData } from '@cxr-lens/data';
import type { HostArray } from './engine/host-array.ts';
import { tf } from './engine/tensorflow.ts';

/**
 * Images of a prepared data set as one batch.
 * @param rows indices into `data.images`
 * @returns [B, S, S, 1], 0 to 255
 */
export function pixelArray(data: Pick<PreparedData, 'size' | 'pixels'>, rows: readonly number[]): HostArray & { data: Uint8Array } {
  const area = data.size * data.size;
  const values = new Uint8Array(rows.length * area);
  const image = new Uint8Array(area);
  for (const [slot, row] of rows.entries()) values.set(data.pixels(row, image), slot * area);
  return { shape: [rows.length, data.size, data.size, 1], data: values };
}

/** Labels of the images, 0 or 1: [B, 14]. */
export function labelArray({ labels }: Pick<PreparedData, 'labels'>, rows: readonly number[]): HostArray & { data: Uint8Array } {
  const values = new Uint8Array(rows.length * FINDINGS.length);
  for (const [slot, row] of rows.entries()) {
    values.set(labels.subarray(row * FINDINGS.length, (row + 1) * FINDINGS.length), slot * FINDINGS.length);
  }
  return { shape: [rows.length, FINDINGS.length], data: values };
}

/** Bytes as they are stored, to grey in [0, 1]: [B, S, S, 1]. */
export function toImages(pixels: tf.Tensor4D): tf.Tensor4D {
  // By the reciprocal, as TensorFlow's optimiser of graphs would: eager and compiled agree to the last bit.
  return tf.mul(tf.cast(pixels, 'float32'), 1 / 255);
}

/** Images of a prepared data set, [B, S, S, 1], grey in [0, 1]. */
export function imageBatch(data: Pick<PreparedData, 'size' | 'pixels'>, rows: readonly number[]): tf.Tensor4D {
  return tf.tidy(() => {
    const { shape, data: values } = pixelArray(data, rows);
    return toImages(tf.tensor(Int32Array.from(values), [...shape] as [number, number, number, number], 'int32'));
  });
}

/** One finding's column of a row-major [N, 14] table. */
export function columnOf<T extends Float32Array | Uint8Array>(table: T, finding: number): T {
  const count = table.length / FINDINGS.length;
  const column = table.slice(0, count) as T;
  for (let i = 0; i < count; i++) column[i] = table[i * FINDINGS.length + finding]!;
  return column;
}
