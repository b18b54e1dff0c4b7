import { tf } from './tensorflow.ts';

/** Numbers outside TensorFlow, row-major: what a step takes and gives. */
export interface HostArray {
  shape: readonly number[];
  data: Float32Array | Uint8Array;
}

export type HostArrays = Readonly<Record<string, HostArray>>;

/** A number as a tensor of rank 0. */
export function hostScalar(value: number): HostArray {
  return { shape: [], data: Float32Array.of(value) };
}

/** Whole numbers of a byte become int32: TF.js has no smaller type. */
export function toTensor({ shape, data }: HostArray): tf.Tensor {
  return data instanceof Uint8Array ? tf.tensor(Int32Array.from(data), [...shape], 'int32') : tf.tensor(data, [...shape], 'float32');
}

export function toTensors(arrays: HostArrays): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, toTensor(array)]));
}
