import type { Graph, Value } from '../graph/graph.ts';
import { messageType } from '../graph/messages.ts';
import { OnnxBuilder, type OnnxNode, type OnnxTensor } from './onnx-builder.ts';
import { translate } from './onnx-operations.ts';

interface ValueInfo {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: ({ dimValue: number } | { dimParam: string })[] } } };
}

interface OnnxModel {
  irVersion: number;
  producerName: string;
  docString: string;
  opsetImport: { domain: string; version: number }[];
  graph: { name: string; node: OnnxNode[]; initializer: OnnxTensor[]; input: ValueInfo[]; output: ValueInfo[] };
  metadataProps: { key: string; value: string }[];
}

// onnx/onnx.proto.
const messages = messageType<OnnxModel>(
  {
    Model: {
      irVersion: ['int64', 1],
      producerName: ['string', 2],
      docString: ['string', 6],
      graph: ['Graph', 7],
      opsetImport: ['OperatorSet', 8, 'repeated'],
      metadataProps: ['Entry', 14, 'repeated'],
    },
    OperatorSet: { domain: ['string', 1], version: ['int64', 2] },
    Entry: { key: ['string', 1], value: ['string', 2] },
    Graph: {
      node: ['Node', 1, 'repeated'],
      name: ['string', 2],
      initializer: ['Tensor', 5, 'repeated'],
      input: ['ValueInfo', 11, 'repeated'],
      output: ['ValueInfo', 12, 'repeated'],
    },
    Node: {
      input: ['string', 1, 'repeated'],
      output: ['string', 2, 'repeated'],
      name: ['string', 3],
      opType: ['string', 4],
      attribute: ['Attribute', 5, 'repeated'],
    },
    Attribute: {
      name: ['string', 1],
      f: ['float', 2],
      i: ['int64', 3],
      s: ['bytes', 4],
      ints: ['int64', 8, 'repeated'],
      type: ['int32', 20],
    },
    Tensor: { dims: ['int64', 1, 'repeated'], dataType: ['int32', 2], name: ['string', 8], rawData: ['bytes', 9] },
    ValueInfo: { name: ['string', 1], type: ['Type', 2] },
    Type: { tensorType: ['TensorType', 1] },
    TensorType: { elemType: ['int32', 1], shape: ['Shape', 2] },
    Shape: { dim: ['Dim', 1, 'repeated'] },
    Dim: { dimValue: ['int64', 1], dimParam: ['string', 2] },
  },
  'Model',
);

// Opset 18 came with ONNX 1.13 (2022), whose files have this version.
const IR_VERSION = 8;
const OPSET = 18;
const FLOAT = 1;

/**
 * The bytes of an ONNX file (opset 18): the graph with its weights as initialisers under our names, input and outputs as the network
 * has them (maps [N, h, w, C]), computed channels first. CxrError UNSUPPORTED names an operation that has no translation.
 */
export function encodeOnnx({ inputs, operations, outputs }: Graph, metadata: Record<string, string>): Uint8Array {
  const image = inputs['image']!;
  const builder = new OnnxBuilder(image, 'image');
  for (const operation of operations) translate(builder, operation);
  for (const [name, value] of Object.entries(outputs)) builder.output(value, name);
  return messages.encode({
    irVersion: IR_VERSION,
    producerName: 'CXR Lens',
    docString: metadata['use'] ?? '',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: metadata['network'] ?? 'network',
      node: builder.nodes,
      initializer: builder.initialisers,
      input: [valueInfo('image', image)],
      output: Object.entries(outputs).map(([name, value]) => valueInfo(name, value)),
    },
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
}

function valueInfo(name: string, { shape }: Value): ValueInfo {
  const dim = shape.map((size) => (size === -1 ? { dimParam: 'N' } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}
