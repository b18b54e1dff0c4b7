import { CxrError } from '@cxr-lens/data';
import { attributeOf, constantOf, type Operation, type Value } from '../graph/graph.ts';
import type { OnnxBuilder } from './onnx-builder.ts';

// Operations on maps, which ONNX computes channels first.

export function convolution(build: OnnxBuilder, operation: Operation): void {
  const [x, kernel] = operation.inputs as [Value, Value];
  if (attributeOf(operation, 'dilations', { kind: 'ints' }).some((dilation) => dilation !== 1)) throw refused(operation, 'dilations');
  const attributes = window(operation, kernel.shape.slice(0, 2));
  build.set(operation.outputs[0]!, 'NCHW', build.node('Conv', [build.nameOf(x, 'NCHW'), build.kernelOf(kernel)], attributes));
}

export function pool(build: OnnxBuilder, operation: Operation): void {
  const attributes = window(operation, attributeOf(operation, 'ksize', { kind: 'ints' }).slice(1, 3));
  // What is padded takes no part in an average: TensorFlow's way and ONNX's default.
  const opType = operation.type === 'MaxPool' ? 'MaxPool' : 'AveragePool';
  build.set(operation.outputs[0]!, 'NCHW', build.node(opType, [build.nameOf(operation.inputs[0]!, 'NCHW')], attributes));
}

/** What a convolution and a pool have in common; pads are [top, left, bottom, right]. */
function window(operation: Operation, size: readonly number[]): Record<'kernel_shape' | 'strides' | 'pads', readonly number[]> {
  if (attributeOf(operation, 'data_format', { kind: 'string' }) !== 'NHWC') throw refused(operation, 'data_format');
  const strides = attributeOf(operation, 'strides', { kind: 'ints' }).slice(1, 3);
  const padding = attributeOf(operation, 'padding', { kind: 'string' });
  if (padding !== 'VALID' && padding !== 'SAME') throw refused(operation, 'padding');
  const totals = [0, 1].map((axis) => {
    const side = operation.inputs[0]!.shape[axis + 1]!;
    const covered = (Math.ceil(side / strides[axis]!) - 1) * strides[axis]! + size[axis]!;
    return padding === 'SAME' ? Math.max(covered - side, 0) : 0;
  });
  // At an odd sum SAME pads more at the end.
  const pads = [...totals.map((total) => Math.floor(total / 2)), ...totals.map((total) => Math.ceil(total / 2))];
  return { kernel_shape: size, strides, pads };
}

export function batchNorm(build: OnnxBuilder, operation: Operation): void {
  if (attributeOf(operation, 'is_training', { kind: 'bool' })) throw refused(operation, 'is_training');
  const [x, ...state] = operation.inputs as [Value, ...Value[]];
  const names = [build.nameOf(x, 'NCHW'), ...state.map((one) => build.nameOf(one, 'NHWC'))];
  const epsilon = attributeOf(operation, 'epsilon', { kind: 'float' });
  build.set(operation.outputs[0]!, 'NCHW', build.node('BatchNormalization', names, { epsilon }));
}

export function pad(build: OnnxBuilder, operation: Operation): void {
  const [x, , value] = operation.inputs as [Value, Value, Value];
  const by = constantOf(operation, 1);
  const channelsFirst = [0, 3, 1, 2];
  const pads = [...channelsFirst.map((axis) => by[2 * axis]!), ...channelsFirst.map((axis) => by[2 * axis + 1]!)];
  const names = [build.nameOf(x, 'NCHW'), build.integers(pads), build.nameOf(value, 'NHWC')];
  build.set(operation.outputs[0]!, 'NCHW', build.node('Pad', names));
}

export function resize(build: OnnxBuilder, operation: Operation): void {
  const linear = operation.type === 'ResizeBilinear';
  const halfPixel = attributeOf(operation, 'half_pixel_centers', { kind: 'bool' });
  if (attributeOf(operation, 'align_corners', { kind: 'bool' })) throw refused(operation, 'align_corners');
  // ONNX rounds otherwise here.
  if (!linear && halfPixel) throw refused(operation, 'half_pixel_centers');
  const attributes = {
    mode: linear ? 'linear' : 'nearest',
    coordinate_transformation_mode: halfPixel ? 'half_pixel' : 'asymmetric',
    nearest_mode: 'floor',
    axes: [2, 3],
  };
  const names = [build.nameOf(operation.inputs[0]!, 'NCHW'), '', '', build.integers(constantOf(operation, 1))];
  build.set(operation.outputs[0]!, 'NCHW', build.node('Resize', names, attributes));
}

function refused({ type, attributes }: Operation, attribute: string): CxrError {
  const value = JSON.stringify(attributes[attribute]?.value);
  return new CxrError('UNSUPPORTED', `TensorFlow's ${type} with ${attribute} ${value} has no translation to ONNX here.`);
}
