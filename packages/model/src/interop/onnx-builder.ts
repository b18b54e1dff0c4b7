import { CxrError } from '@cxr-lens/data';
import type { Value } from '../graph/graph.ts';
import { permuted, toChannelsFirst } from './layout.ts';

/** ONNX's numbers of attribute kinds: FLOAT, INT, STRING, INTS. */
type OnnxAttribute = { name: string } & (
  | { type: 1; f: number }
  | { type: 2; i: number }
  | { type: 3; s: Uint8Array }
  | { type: 7; ints: readonly number[] }
);

export interface OnnxNode {
  name: string;
  opType: string;
  input: string[];
  output: string[];
  attribute: OnnxAttribute[];
}

export interface OnnxTensor {
  name: string;
  dims: readonly number[];
  dataType: number;
  rawData: Uint8Array;
}

/** Order of the axes of a map: batch, height, width, channels as TensorFlow's networks have it, or channels first as ONNX wants it. */
export type Layout = 'NHWC' | 'NCHW';

const FLOAT = 1;
const INT64 = 7;

/** Axis i of a map in the layout is axis `ORDER[layout][i]` of the same map in the other. */
const ORDER: Record<Layout, readonly number[]> = { NCHW: [0, 3, 1, 2], NHWC: [0, 2, 3, 1] };

/** Collects the nodes of an ONNX graph, and keeps maps in the layout in which they are: they are transposed only where one needs the other. */
export class OnnxBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initialisers: OnnxTensor[] = [];
  private readonly names = new Map<Value, Partial<Record<Layout, string>>>();
  private count = 0;

  constructor(image: Value, name: string) {
    this.names.set(image, { NHWC: name });
  }

  /** The layout in which a value was computed; `NHWC` for a value that is no map, which has one only. */
  layoutOf(value: Value): Layout {
    return this.names.get(value)?.NCHW === undefined ? 'NHWC' : 'NCHW';
  }

  /** The name of a value that is no kernel: a map in the layout, a constant so that it broadcasts against a map in the layout. */
  nameOf(value: Value, layout: Layout): string {
    const known = this.names.get(value) ?? {};
    this.names.set(value, known);
    if (value.constant) known[layout] ??= this.broadcastable(value, layout);
    else if (value.shape.length === 4) known[layout] ??= this.transposed(known, layout);
    // What is no map has one layout.
    return known[layout] ?? known.NHWC!;
  }

  /** A kernel's name, its weights as [out, in, h, w]. */
  kernelOf({ shape, constant }: Value): string {
    return this.floats(constant!.name, toChannelsFirst({ shape: [...shape], data: constant!.data as Float32Array }));
  }

  /** Adds a node with one output, and gives that one's name. */
  node(opType: string, input: string[], attributes: Record<string, number | string | readonly number[]> = {}): string {
    const name = `${opType}_${this.count++}`;
    const attribute = Object.entries(attributes).map(([key, value]) => onnxAttribute(key, value));
    this.nodes.push({ name, opType, input, output: [name], attribute });
    return name;
  }

  /** Says that the value is the output of that name; a map is in the layout. */
  set(value: Value, layout: Layout, name: string): void {
    this.names.set(value, { [value.shape.length === 4 ? layout : 'NHWC']: name });
  }

  /** A constant of whole numbers: a shape, paddings, sizes. */
  integers(values: readonly number[]): string {
    const name = `integers_${this.count++}`;
    const data = BigInt64Array.from(values, BigInt);
    this.initialisers.push({ name, dims: [values.length], dataType: INT64, rawData: new Uint8Array(data.buffer) });
    return name;
  }

  /** A constant number. */
  number(value: number): string {
    return this.floats(`number_${this.count++}`, { shape: [], data: Float32Array.of(value) });
  }

  /** Gives the value its public name, a map as [N, h, w, C]. */
  output(value: Value, name: string): void {
    this.nodes.push({ name, opType: 'Identity', input: [this.nameOf(value, 'NHWC')], output: [name], attribute: [] });
  }

  private transposed(known: Partial<Record<Layout, string>>, layout: Layout): string {
    return this.node('Transpose', [(layout === 'NCHW' ? known.NHWC : known.NCHW)!], { perm: ORDER[layout] });
  }

  private broadcastable({ dtype, shape, constant }: Value, layout: Layout): string {
    if (dtype !== 'float32')
      throw new CxrError('UNSUPPORTED', `A constant of type ${dtype} in the arithmetic has no translation to ONNX here.`);
    const tensor = { shape: [...shape], data: constant!.data as Float32Array };
    if (layout === 'NHWC' || shape.length === 0) return this.floats(constant!.name, tensor);
    const padded = { ...tensor, shape: [...new Array<number>(4 - shape.length).fill(1), ...shape] };
    return this.floats(`${constant!.name}.channels-first`, permuted(padded, ORDER.NCHW));
  }

  private floats(name: string, { shape, data }: { shape: readonly number[]; data: Float32Array }): string {
    this.initialisers.push({
      name,
      dims: shape,
      dataType: FLOAT,
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
    return name;
  }
}

function onnxAttribute(name: string, value: number | string | readonly number[]): OnnxAttribute {
  if (typeof value === 'string') return { name, type: 3, s: Buffer.from(value) };
  if (typeof value !== 'number') return { name, type: 7, ints: value };
  // The attributes that may be whole numbers by chance are floats by name.
  return name === 'epsilon' ? { name, type: 1, f: value } : { name, type: 2, i: value };
}
