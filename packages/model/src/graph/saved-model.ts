import type { Attribute, Constant, Dtype, Operation, Value } from './graph.ts';
import { messageType } from './messages.ts';

interface Shape {
  dim: { size: number }[];
}

interface TensorMessage {
  dtype: number;
  tensorShape: Shape;
  /** All values, or of equal ones the first. */
  tensorContent?: Uint8Array;
  floatVal?: number[];
  intVal?: number[];
  boolVal?: boolean[];
}

/** One of its fields is set. */
export interface AttributeMessage {
  list?: { i: number[] };
  s?: Uint8Array;
  i?: number;
  f?: number;
  b?: boolean;
  type?: number;
  shape?: Shape;
  tensor?: TensorMessage;
}

export interface Node {
  name: string;
  op: string;
  input: string[];
  attr: Record<string, AttributeMessage>;
}

interface TensorInfo {
  name: string;
  dtype: number;
  tensorShape: Shape;
}

interface SavedModelMessage {
  savedModelSchemaVersion: number;
  metaGraphs: {
    metaInfoDef: { tags: string[] };
    graphDef: { node: Node[]; versions: { producer: number } };
    signatureDef: Record<string, { inputs: Record<string, TensorInfo>; outputs: Record<string, TensorInfo>; methodName: string }>;
  }[];
}

// tensorflow/core/protobuf/{saved_model,meta_graph}.proto and tensorflow/core/framework/*.proto.
const messages = messageType<SavedModelMessage>(
  {
    SavedModel: { savedModelSchemaVersion: ['int64', 1], metaGraphs: ['MetaGraph', 2, 'repeated'] },
    MetaGraph: { metaInfoDef: ['MetaInfo', 1], graphDef: ['Graph', 2], signatureDef: ['Signature', 5, 'map'] },
    MetaInfo: { tags: ['string', 4, 'repeated'] },
    Graph: { node: ['Node', 1, 'repeated'], versions: ['Versions', 4] },
    Versions: { producer: ['int32', 1] },
    Node: { name: ['string', 1], op: ['string', 2], input: ['string', 3, 'repeated'], attr: ['Attribute', 5, 'map'] },
    Attribute: {
      list: ['List', 1],
      s: ['bytes', 2],
      i: ['int64', 3],
      f: ['float', 4],
      b: ['bool', 5],
      type: ['int32', 6],
      shape: ['Shape', 7],
      tensor: ['Tensor', 8],
    },
    List: { i: ['int64', 3, 'repeated'] },
    Shape: { dim: ['Dim', 2, 'repeated'] },
    Dim: { size: ['int64', 1] },
    Tensor: {
      dtype: ['int32', 1],
      tensorShape: ['Shape', 2],
      tensorContent: ['bytes', 4],
      floatVal: ['float', 5, 'repeated'],
      intVal: ['int32', 7, 'repeated'],
      boolVal: ['bool', 11, 'repeated'],
    },
    Signature: { inputs: ['TensorInfo', 1, 'map'], outputs: ['TensorInfo', 2, 'map'], methodName: ['string', 3] },
    TensorInfo: { name: ['string', 1], dtype: ['int32', 2], tensorShape: ['Shape', 3] },
  },
  'SavedModel',
);

/** TensorFlow's numbers of the types (types.proto). */
export const DTYPES: Record<Dtype, number> = { float32: 1, int32: 3, uint8: 4, bool: 10, bfloat16: 14 };

/** Type attributes that eager execution finds by itself and a graph must state: of which input's type each is. */
const FOUND_TYPES: Record<string, Record<string, number>> = {
  Relu: { T: 0 },
  ReluGrad: { T: 0 },
  ResizeBilinear: { T: 0 },
  ResizeBilinearGrad: { T: 1 },
  FusedBatchNormV3: { T: 0, U: 1 },
  _FusedBatchNormEx: { T: 0, U: 1 },
  FusedBatchNormGradV3: { T: 0, U: 2 },
  GatherV2: { Tparams: 0, Tindices: 1, Taxis: 2 },
  BroadcastTo: { T: 0, Tidx: 1 },
  ExpandDims: { T: 0, Tdim: 1 },
};

// Of TensorFlow 2.9, the oldest under TF.js 4.22; our operations have not changed since.
const PRODUCER = 1087;

/** What a model is asked for under one name: placeholders in, results out. */
export interface Signature {
  inputs: Record<string, Value>;
  outputs: Record<string, Value>;
}

/** Writes the nodes of a graph; values have their names here. */
export class NodeWriter {
  private readonly names = new Map<Value, string>();

  readonly nodes: Node[];
  private readonly prefix: string;

  /** @param prefix of the names of operations and constants */
  constructor(nodes: Node[] = [], prefix = '') {
    this.nodes = nodes;
    this.prefix = prefix;
  }

  node(name: string, op: string, input: string[], attr: Record<string, AttributeMessage>): string {
    this.nodes.push({ name, op, input, attr });
    return name;
  }

  /** From now on the value is called so. */
  name(value: Value, name: string): void {
    this.names.set(value, name);
  }

  placeholder(name: string, value: Pick<Value, 'dtype' | 'shape'>): string {
    return this.node(name, 'Placeholder', [], { dtype: { type: DTYPES[value.dtype] }, shape: { shape: shapeMessage(value.shape) } });
  }

  nameOf(value: Value): string {
    const known = this.names.get(value);
    if (known !== undefined) return known;
    const { constant } = value;
    const name = this.node(`${this.prefix}${constant!.name}`, 'Const', [], constantAttributes(value, constant!));
    this.names.set(value, name);
    return name;
  }

  operation(operation: Operation, index: number): void {
    const name = `${this.prefix}${operation.type}_${index}`;
    const inputs = operation.inputs.map((input) => this.nameOf(input));
    if (operation.after) inputs.push(`^${this.nameOf(operation.after).replace(/:\d+$/, '')}`);
    this.node(name, operation.type, inputs, attributesOf(operation));
    for (const [place, output] of operation.outputs.entries()) this.names.set(output, place === 0 ? name : `${name}:${place}`);
  }

  /** The value under a public name, once the nodes `after` have run. */
  output(name: string, value: Value, after: readonly string[] = []): void {
    this.node(name, 'Identity', [this.nameOf(value), ...after.map((node) => `^${node}`)], { T: { type: DTYPES[value.dtype] } });
  }
}

/** The bytes of `saved_model.pb`, tagged `serve`. */
export function encodeSavedModel(node: Node[], signatures: Record<string, Signature> = {}): Uint8Array {
  const infos = (values: Record<string, Value>): Record<string, TensorInfo> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, info(name, value)]));
  const signatureDef = Object.fromEntries(
    Object.entries(signatures).map(([name, { inputs, outputs }]) => [
      name,
      { inputs: infos(inputs), outputs: infos(outputs), methodName: 'tensorflow/serving/predict' },
    ]),
  );
  const graphDef = { node, versions: { producer: PRODUCER } };
  return messages.encode({ savedModelSchemaVersion: 1, metaGraphs: [{ metaInfoDef: { tags: ['serve'] }, graphDef, signatureDef }] });
}

function attributesOf({ type, attributes, inputs }: Operation): Record<string, AttributeMessage> {
  const found = Object.entries(FOUND_TYPES[type] ?? {}).map(([name, input]) => [name, { type: DTYPES[inputs[input]!.dtype] }]);
  const stated = Object.entries(attributes).map(([name, attribute]) => [name, attributeMessage(attribute)]);
  return Object.fromEntries([...found, ...stated]) as Record<string, AttributeMessage>;
}

function attributeMessage(attribute: Attribute): AttributeMessage {
  switch (attribute.kind) {
    case 'string':
      return { s: Buffer.from(attribute.value) };
    case 'int':
      return { i: attribute.value };
    case 'ints':
      return { list: { i: [...attribute.value] } };
    case 'float':
      return { f: attribute.value };
    case 'bool':
      return { b: attribute.value };
    case 'type':
      return { type: attribute.value };
  }
}

function constantAttributes({ dtype, shape: sizes }: Value, { data }: Constant): Record<string, AttributeMessage> {
  const type = DTYPES[dtype];
  const tensor: TensorMessage = { dtype: type, tensorShape: shapeMessage(sizes) };
  const [first] = data;
  if (data.length > 1 && data.every((value) => Object.is(value, first))) {
    if (dtype === 'float32') tensor.floatVal = [first!];
    else if (dtype === 'bool') tensor.boolVal = [first === 1];
    else tensor.intVal = [first!];
  } else {
    tensor.tensorContent = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  return { dtype: { type }, value: { tensor } };
}

function info(node: string, { dtype, shape: sizes }: Value): TensorInfo {
  return { name: `${node}:0`, dtype: DTYPES[dtype], tensorShape: shapeMessage(sizes) };
}

export function shapeMessage(sizes: readonly number[]): Shape {
  return { dim: sizes.map((size) => ({ size })) };
}
