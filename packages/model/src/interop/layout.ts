import type { HostTensor } from '../safetensors.ts';

// Kernels and matrices; a vector has one layout.
const TO_CHANNELS_FIRST: Record<number, readonly number[]> = { 4: [3, 2, 0, 1], 2: [1, 0] };
const FROM_CHANNELS_FIRST: Record<number, readonly number[]> = { 4: [2, 3, 1, 0], 2: [1, 0] };

/** TensorFlow's layout to PyTorch's: kernel [h, w, in, out] to [out, in, h, w], matrix [in, out] to [out, in]; vectors stay. */
export function toChannelsFirst(tensor: HostTensor): HostTensor {
  return permuted(tensor, TO_CHANNELS_FIRST[tensor.shape.length]);
}

/** PyTorch's layout to TensorFlow's: kernel [out, in, h, w] to [h, w, in, out], matrix [out, in] to [in, out]; vectors stay. */
export function fromChannelsFirst(tensor: HostTensor): HostTensor {
  return permuted(tensor, FROM_CHANNELS_FIRST[tensor.shape.length]);
}

/** The shape that `toChannelsFirst` gives. */
export function shapeChannelsFirst(shape: readonly number[]): number[] {
  return reordered(shape, TO_CHANNELS_FIRST[shape.length]);
}

/** Axis i of the result is axis `order[i]` of the tensor; without an order the tensor itself. */
export function permuted(tensor: HostTensor, order: readonly number[] | undefined): HostTensor {
  if (!order) return tensor;
  const shape = reordered(tensor.shape, order);
  const strides = reordered(stridesOf(tensor.shape), order);
  const data = new Float32Array(tensor.data.length);
  const place = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    data[to] = tensor.data[from]!;
    // The place counts up like an odometer, the last axis fastest.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis]! += 1;
      from += strides[axis]!;
      if (place[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      place[axis] = 0;
    }
  }
  return { shape, data };
}

function reordered(values: readonly number[], order: readonly number[] | undefined): number[] {
  return order ? order.map((axis) => values[axis]!) : [...values];
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
}
