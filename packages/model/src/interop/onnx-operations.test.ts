import { describe, expect, it } from 'vitest';
import type { Attribute, Graph, Operation, Value } from '../graph/graph.ts';
import { OnnxBuilder } from './onnx-builder.ts';
import { translate } from './onnx-operations.ts';
import { filledNetwork } from './testing.ts';
import { trace } from './trace.ts';

function value(shape: number[], numbers?: number[]): Value {
  const constant = numbers ? { name: 'constant', data: Float32Array.from(numbers) } : null;
  return { dtype: 'float32', shape, constant };
}

/** One operation on a map [-1, 5, 4, 3], translated. */
function translated(type: string, attributes: Record<string, Attribute>, others: Value[] = [], shape = [-1, 5, 4, 3]): OnnxBuilder {
  const x = value([-1, 5, 4, 3]);
  const build = new OnnxBuilder(x, 'image');
  const operation: Operation = { type, attributes, inputs: [x, ...others], outputs: [value(shape)] };
  translate(build, operation);
  build.output(operation.outputs[0]!, 'y');
  return build;
}

function built({ inputs, operations, outputs }: Graph): OnnxBuilder {
  const build = new OnnxBuilder(inputs['image']!, 'image');
  for (const operation of operations) translate(build, operation);
  for (const [name, output] of Object.entries(outputs)) build.output(output, name);
  return build;
}

const bool = (on: boolean): Attribute => ({ kind: 'bool', value: on });
const text = (given: string): Attribute => ({ kind: 'string', value: given });
const ints = (...values: number[]): Attribute => ({ kind: 'ints', value: values });
const types = ({ nodes }: OnnxBuilder): string[] => nodes.map(({ opType }) => opType);
const attribute = ({ nodes }: OnnxBuilder, opType: string, name: string): unknown =>
  nodes.find((node) => node.opType === opType)!.attribute.find((one) => one.name === name);

describe('a convolution', () => {
  const conv = (attributes: Record<string, Attribute>): OnnxBuilder => {
    const given = { strides: ints(1, 2, 2, 1), padding: text('SAME'), data_format: text('NHWC'), dilations: ints(1, 1, 1, 1) };
    return translated('Conv2D', { ...given, ...attributes }, [
      value(
        [3, 3, 3, 1],
        new Array(27).fill(0).map((_, i) => i),
      ),
    ]);
  };

  it('is padded as SAME is: by hand, 5 rows at stride 2 take 1 + 1, 4 columns 0 + 1', () => {
    expect(attribute(conv({}), 'Conv', 'pads')).toEqual({ name: 'pads', type: 7, ints: [1, 0, 1, 1] });
    expect(attribute(conv({ padding: text('VALID') }), 'Conv', 'pads')).toEqual({ name: 'pads', type: 7, ints: [0, 0, 0, 0] });
  });

  it('has its kernel as [out, in, h, w]', () => {
    const { dims, rawData } = conv({}).initialisers[0]!;
    expect(dims).toEqual([1, 3, 3, 3]);
    const data = new Float32Array(rawData.buffer, rawData.byteOffset, 27);
    // Input 1, row 0, columns 0 to 2: every third number of the first nine.
    expect([...data.subarray(9, 12)]).toEqual([1, 4, 7]);
  });

  it.each([
    [{ dilations: ints(1, 2, 2, 1) }, 'Conv2D with dilations [1,2,2,1]'],
    [{ padding: text('EXPLICIT') }, 'Conv2D with padding "EXPLICIT"'],
    [{ data_format: text('NCHW') }, 'Conv2D with data_format "NCHW"'],
  ])('is refused with %o', (attributes, message) => {
    expect(() => conv(attributes)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining(message) }));
  });
});

describe('what has no translation is refused by name', () => {
  it.each([
    ['Erf', {}, 'operation Erf has no translation'],
    ['FusedBatchNormV3', { is_training: bool(true) }, 'FusedBatchNormV3 with is_training true'],
    ['ResizeBilinear', { align_corners: bool(true), half_pixel_centers: bool(false) }, 'ResizeBilinear with align_corners true'],
    ['ResizeNearestNeighbor', { align_corners: bool(false), half_pixel_centers: bool(true) }, 'with half_pixel_centers true'],
    ['BatchMatMulV2', { adj_x: bool(false), adj_y: bool(true) }, 'transposed matrices'],
    ['Sum', {}, 'Sum takes its input 1 from the image'],
  ])('%s', (type, attributes: Record<string, Attribute>, message) => {
    expect(() => translated(type, attributes)).toThrow(message);
  });
});

describe('layouts', () => {
  it('a constant of the channels broadcasts against a map in either', () => {
    const channels = value([3], [1, 2, 3]);
    expect(translated('Add', {}, [channels]).initialisers.map(({ dims }) => dims)).toEqual([[3]]);
    const relu = value([-1, 5, 4, 3]);
    const x = value([-1, 5, 4, 3]);
    const build = new OnnxBuilder(x, 'image');
    const attributes = { ksize: ints(1, 1, 1, 1), strides: ints(1, 1, 1, 1), padding: text('VALID'), data_format: text('NHWC') };
    translate(build, { type: 'MaxPool', attributes, inputs: [x], outputs: [relu] });
    translate(build, { type: 'Add', attributes: {}, inputs: [relu, channels], outputs: [value([-1, 5, 4, 3])] });
    expect(types(build)).toEqual(['Transpose', 'MaxPool', 'Add']);
    expect(build.initialisers.map(({ dims }) => dims)).toEqual([[1, 3, 1, 1]]);
  });

  it('DenseNet is transposed twice: the image at the start, the features at the end', () => {
    const network = filledNetwork('truncated-densenet121', 'small');
    const build = built(trace(network));
    network.dispose();
    expect(types(build).filter((type) => type === 'Transpose').length).toBe(2);
    expect(types(build).at(-2)).toBe('Transpose');
    const names = build.initialisers.map(({ name }) => name);
    expect(names.length).toBe(new Set(names).size);
    // A grey image takes the sum of the first kernel's channels.
    const kept = names.map((name) => name.replace('stem.convolution.kernel/Sum', 'stem.convolution.kernel'));
    expect([...network.parameters.keys(), ...network.statistics.keys()].filter((name) => !kept.includes(name))).toEqual([]);
  });
});
