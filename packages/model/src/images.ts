import { FINDINGS, type PreparedData } from '@cxr-lens/data';
import { tf } from './engine/tensorflow.ts';

/**
 * Images of a prepared data set as one batch.
 * @param rows indices into `data.images`
 * @returns [B, S, S, 1], grey in [0, 1]
 */
export function imageBatch(data: PreparedData, rows: readonly number[]): tf.Tensor4D {
  const area = data.size * data.size;
  const values = new Float32Array(rows.length * area);
  for (const [slot, row] of rows.entries()) {
    const pixels = data.pixels(row);
    for (let i = 0; i < area; i++) values[slot * area + i] = pixels[i]! / 255;
  }
  return tf.tensor4d(values, [rows.length, data.size, data.size, 1]);
}

/** Labels of the images, 0 or 1: [rows.length * 14], row-major. */
export function labelsOf(data: PreparedData, rows: readonly number[]): Uint8Array {
  const labels = new Uint8Array(rows.length * FINDINGS.length);
  for (const [slot, row] of rows.entries()) {
    labels.set(data.labels.subarray(row * FINDINGS.length, (row + 1) * FINDINGS.length), slot * FINDINGS.length);
  }
  return labels;
}

/** One finding's column of a row-major [N, 14] table. */
export function columnOf<T extends Float32Array | Uint8Array>(table: T, finding: number): T {
  const count = table.length / FINDINGS.length;
  const column = table.slice(0, count) as T;
  for (let i = 0; i < count; i++) column[i] = table[i * FINDINGS.length + finding]!;
  return column;
}
