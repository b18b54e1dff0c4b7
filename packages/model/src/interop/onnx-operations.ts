import { CxrError } from '@cxr-lens/data';
import { attributeOf, constantOf, type Operation, type Value } from '../graph/graph.ts';
import type { Layout, OnnxBuilder } from './onnx-builder.ts';
import { batchNorm, convolution, pad, pool, resize } from './onnx-maps.ts';

type Translation = (build: OnnxBuilder, operation: Operation) => void;

/** TensorFlow's operations in ONNX's, as far as our networks execute them. */
const TRANSLATIONS: Record<string, Translation> = {
  Conv2D: convolution,
  FusedBatchNormV3: batchNorm,
  MaxPool: pool,
  AvgPool: pool,
  PadV2: pad,
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  Add: elementwise('Add'),
  Sub: elementwise('Sub'),
  Mul: elementwise('Mul'),
  RealDiv: elementwise('Div'),
  Maximum: elementwise('Max'),
  Minimum: elementwise('Min'),
  Relu: elementwise('Relu'),
  Neg: elementwise('Neg'),
  Exp: elementwise('Exp'),
  Log: elementwise('Log'),
  Sigmoid: elementwise(sigmoid),
  Softplus: elementwise('Softplus'),
  Log1p: elementwise(log1p),
  Expm1: elementwise(expm1),
  Mean: reduction('ReduceMean'),
  Max: reduction('ReduceMax'),
  Sum: reduction('ReduceSum'),
  ConcatV2: concat,
  Slice: slice,
  Reshape: reshape,
  BatchMatMulV2: product,
};

/** Adds what the operation computes. CxrError UNSUPPORTED names an operation or an attribute that has no translation. */
export function translate(build: OnnxBuilder, operation: Operation): void {
  const translation = TRANSLATIONS[operation.type];
  if (!translation) {
    const message = `TensorFlow's operation ${operation.type} has no translation to ONNX here`;
    throw new CxrError('UNSUPPORTED', `${message}: export this network as a SavedModel or safetensors.`);
  }
  translation(build, operation);
}

function elementwise(compute: string | ((build: OnnxBuilder, x: string) => string)): Translation {
  return (build, { inputs, outputs }) => {
    const computed = inputs.filter((input) => !input.constant);
    // What is no map broadcasts against [N, h, w, C] only.
    const layout = computed.every((input) => input.shape.length === 4) ? build.layoutOf(computed[0]!) : 'NHWC';
    const names = inputs.map((input) => build.nameOf(input, layout));
    build.set(outputs[0]!, layout, typeof compute === 'string' ? build.node(compute, names) : compute(build, names[0]!));
  };
}

/** 1 / (1 + exp(-x)): onnxruntime's own Sigmoid is 0 for all x below about -18, and Supervised multiplies 1 - p of 400 patches. */
function sigmoid(build: OnnxBuilder, x: string): string {
  const one = build.number(1);
  return build.node('Div', [one, build.node('Add', [one, build.node('Exp', [build.node('Neg', [x])])])]);
}

/** 2 atanh(x / (2 + x)): ONNX has no log1p, and log(1 + x) would lose a small x. */
function log1p(build: OnnxBuilder, x: string): string {
  const two = build.number(2);
  return build.node('Mul', [two, build.node('Atanh', [build.node('Div', [x, build.node('Add', [x, two])])])]);
}

/** 2 t / (1 - t) with t = tanh(x / 2): ONNX has no expm1, and exp(x) - 1 would lose a small x. */
function expm1(build: OnnxBuilder, x: string): string {
  const two = build.number(2);
  const t = build.node('Tanh', [build.node('Div', [x, two])]);
  return build.node('Div', [build.node('Mul', [two, t]), build.node('Sub', [build.number(1), t])]);
}

/** Where the axes of [N, h, w, C] are in the layout. */
const AXES: Record<Layout, readonly number[]> = { NHWC: [0, 1, 2, 3], NCHW: [0, 2, 3, 1] };

/** The axis of the value as it is in the layout; what is no map has no other. */
function axisIn(layout: Layout, { shape }: Value, axis: number): number {
  return shape.length === 4 ? AXES[layout][axis]! : axis;
}

function reduction(opType: 'ReduceMean' | 'ReduceMax' | 'ReduceSum'): Translation {
  return (build, operation) => {
    const x = operation.inputs[0]!;
    const over = constantOf(operation, 1);
    const keep = attributeOf(operation, 'keep_dims', { kind: 'bool' });
    // Without both height and width among them, what is left would come in another order.
    const ordered = keep || (over.includes(1) && over.includes(2));
    const layout = ordered ? build.layoutOf(x) : 'NHWC';
    const axes = build.integers(over.map((axis) => axisIn(layout, x, axis)));
    build.set(operation.outputs[0]!, layout, build.node(opType, [build.nameOf(x, layout), axes], { keepdims: keep ? 1 : 0 }));
  };
}

function concat(build: OnnxBuilder, operation: Operation): void {
  const parts = operation.inputs.slice(0, -1);
  const [axis] = constantOf(operation, parts.length);
  const layout = build.layoutOf(parts[0]!);
  const names = parts.map((part) => build.nameOf(part, layout));
  build.set(operation.outputs[0]!, layout, build.node('Concat', names, { axis: axisIn(layout, parts[0]!, axis!) }));
}

// ONNX's slice ends where the tensor does when the end lies behind it.
const END = 2 ** 31 - 1;

function slice(build: OnnxBuilder, operation: Operation): void {
  const x = operation.inputs[0]!;
  const layout = build.layoutOf(x);
  const starts = constantOf(operation, 1);
  const ends = constantOf(operation, 2).map((length, axis) => (length === -1 ? END : starts[axis]! + length));
  const axes = starts.map((_, axis) => axisIn(layout, x, axis));
  const names = [build.nameOf(x, layout), ...[starts, ends, axes].map((values) => build.integers(values))];
  build.set(operation.outputs[0]!, layout, build.node('Slice', names));
}

/** Of what lies in memory as [N, h, w, C]. */
function reshape(build: OnnxBuilder, operation: Operation): void {
  const names = [build.nameOf(operation.inputs[0]!, 'NHWC'), build.integers(constantOf(operation, 1))];
  build.set(operation.outputs[0]!, 'NHWC', build.node('Reshape', names));
}

function product(build: OnnxBuilder, operation: Operation): void {
  if (['adj_x', 'adj_y'].some((name) => attributeOf(operation, name, { kind: 'bool' }))) {
    throw new CxrError('UNSUPPORTED', 'A product of transposed matrices has no translation to ONNX here.');
  }
  const names = operation.inputs.map((input) => build.nameOf(input, 'NHWC'));
  build.set(operation.outputs[0]!, 'NHWC', build.node('MatMul', names));
}
