import type { Attribute, Constant, Dtype, Graph, Operation, Value } from './graph.ts';
import { messageType } from './messages.ts';

interface Shape {
  dim: { size: number }[];
}

interface TensorMessage {
  dtype: number;
  tensorShape: Shape;
  tensorContent: Uint8Array;
}

/** One of its fields is set. */
interface AttributeMessage {
  list?: { i: number[] };
  s?: Uint8Array;
  i?: number;
  f?: number;
  b?: boolean;
  type?: number;
  shape?: Shape;
  tensor?: TensorMessage;
}

interface Node {
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

interface SavedModel {
  savedModelSchemaVersion: number;
  metaGraphs: {
    metaInfoDef: { tags: string[] };
    graphDef: { node: Node[]; versions: { producer: number } };
    signatureDef: Record<string, { inputs: Record<string, TensorInfo>; outputs: Record<string, TensorInfo>; methodName: string }>;
  }[];
}

// tensorflow/core/protobuf/{saved_model,meta_graph}.proto and tensorflow/core/framework/*.proto.
const messages = messageType<SavedModel>(
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
    Tensor: { dtype: ['int32', 1], tensorShape: ['Shape', 2], tensorContent: ['bytes', 4] },
    Signature: { inputs: ['TensorInfo', 1, 'map'], outputs: ['TensorInfo', 2, 'map'], methodName: ['string', 3] },
    TensorInfo: { name: ['string', 1], dtype: ['int32', 2], tensorShape: ['Shape', 3] },
  },
  'SavedModel',
);

/** TensorFlow's numbers of the types (types.proto). */
const DTYPES: Record<Dtype, number> = { float32: 1, int32: 3 };

/** Type attributes that eager execution finds by itself and a graph must state; of our networks all are the first input's type. */
const FOUND_TYPES: Record<string, readonly string[]> = { Relu: ['T'], ResizeBilinear: ['T'], FusedBatchNormV3: ['T', 'U'] };

// Of TensorFlow 2.9, the oldest under TF.js 4.22; our operations have not changed since.
const PRODUCER = 1087;

/** The bytes of `saved_model.pb`: the graph with its weights as constants, tagged `serve`, signature `serving_default` from `image`. */
export function encodeSavedModel({ image, operations, outputs }: Graph): Uint8Array {
  const names = new Map<Value, string>([[image, 'image']]);
  const node: Node[] = [
    { name: 'image', op: 'Placeholder', input: [], attr: { dtype: { type: DTYPES.float32 }, shape: { shape: shape(image.shape) } } },
  ];

  function nameOf(value: Value): string {
    const known = names.get(value);
    if (known !== undefined) return known;
    const { constant } = value;
    node.push({ name: constant!.name, op: 'Const', input: [], attr: constantAttributes(value, constant!) });
    names.set(value, constant!.name);
    return constant!.name;
  }

  for (const [index, operation] of operations.entries()) {
    const name = `${operation.type}_${index}`;
    node.push({ name, op: operation.type, input: operation.inputs.map(nameOf), attr: attributesOf(operation) });
    for (const [place, output] of operation.outputs.entries()) names.set(output, place === 0 ? name : `${name}:${place}`);
  }
  for (const [name, value] of Object.entries(outputs)) {
    node.push({ name, op: 'Identity', input: [nameOf(value)], attr: { T: { type: DTYPES[value.dtype] } } });
  }
  const infos = Object.entries(outputs).map(([name, value]) => [name, info(name, value)]);
  return messages.encode({
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: ['serve'] },
        graphDef: { node, versions: { producer: PRODUCER } },
        signatureDef: {
          serving_default: {
            inputs: { image: info('image', image) },
            outputs: Object.fromEntries(infos) as Record<string, TensorInfo>,
            methodName: 'tensorflow/serving/predict',
          },
        },
      },
    ],
  });
}

function attributesOf({ type, attributes, inputs }: Operation): Record<string, AttributeMessage> {
  const found = (FOUND_TYPES[type] ?? []).map((name) => [name, { type: DTYPES[inputs[0]!.dtype] }]);
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
  const tensorContent = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const type = DTYPES[dtype];
  return { dtype: { type }, value: { tensor: { dtype: type, tensorShape: shape(sizes), tensorContent } } };
}

function info(node: string, { dtype, shape: sizes }: Value): TensorInfo {
  return { name: `${node}:0`, dtype: DTYPES[dtype], tensorShape: shape(sizes) };
}

function shape(sizes: readonly number[]): Shape {
  return { dim: sizes.map((size) => ({ size })) };
}
