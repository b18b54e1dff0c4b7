import { CxrError } from '@cxr-lens/data';
import { tf } from '../engine/tensorflow.ts';
import type { Attribute, Constant, Dtype, Value } from './graph.ts';

/** One executed operation; inputs and outputs are places in `Recording.values`. */
interface Call {
  type: string;
  attributes: Record<string, Attribute>;
  inputs: number[];
  outputs: number[];
}

/** What a pass did: two passes of the same code number their values alike. */
export interface Recording {
  values: Value[];
  calls: Call[];
  inputs: Record<string, number>;
  outputs: Record<string, number>;
}

interface OpAttribute {
  name: string;
  type: number;
  value: string | number | boolean | number[];
}

/** The two methods through which TF.js's kernels execute operations of TensorFlow. */
interface Backend {
  binding: Record<`TF_ATTR_${'STRING' | 'INT' | 'FLOAT' | 'BOOL' | 'TYPE'}`, number>;
  executeSingleOutput(type: string, attributes: OpAttribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(type: string, attributes: OpAttribute[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
  readSync(dataId: object): Float32Array | Int32Array | Uint8Array;
}

interface Given {
  inputs: Readonly<Record<string, tf.Tensor>>;
  /** Constants under names of their own. */
  named?: Iterable<readonly [string, tf.Tensor]>;
  /** Numbers of what is computed from constants and written down; left out, any. What has more is an operation. */
  foldUpTo?: number;
}

const DTYPES: readonly string[] = ['float32', 'int32', 'bool'] satisfies Dtype[];

/**
 * Records the operations that `pass` executes on the inputs. Operations on constants alone are not recorded: their results are constants.
 * CxrError UNSUPPORTED where it reads the numbers of a tensor that depends on an input: what it decides by them would be written down.
 * @param pass gives the outputs to keep, by name
 */
export function record(
  { inputs: given, named = [], foldUpTo = Number.POSITIVE_INFINITY }: Given,
  pass: () => Record<string, tf.Tensor>,
): Recording {
  const backend = tf.backend() as unknown as Backend;
  const names = new Map([...named].map(([name, tensor]) => [tensor.dataId, name]));
  const values: Value[] = [];
  const calls: Call[] = [];
  // TF.js's clones and reshaped views that compute nothing share the data.
  const places = new Map<object, number>();

  function add({ dataId, dtype, shape }: tf.Tensor, constant: Constant | null): number {
    if (!DTYPES.includes(dtype)) throw new CxrError('UNSUPPORTED', `A tensor of type ${dtype} cannot be exported.`);
    values.push({ dtype: dtype as Dtype, shape: [...shape], constant });
    places.set(dataId, values.length - 1);
    return values.length - 1;
  }

  function addConstant(tensor: tf.Tensor): number {
    const name = names.get(tensor.dataId) ?? `constant${values.length}`;
    return add(tensor, { name, data: readSync.call(backend, tensor.dataId) });
  }

  /** What is made of a named constant tells so: `<name>/<operation>`. */
  function nameResults(type: string, inputs: readonly tf.Tensor[], outputs: readonly tf.Tensor[]): void {
    const [name, ...others] = inputs.flatMap(({ dataId }) => names.get(dataId) ?? []);
    if (name === undefined || others.length > 0 || outputs.length > 1) return;
    const made = `${name}/${type}`;
    const taken = values.some(({ constant }) => constant?.name === made);
    names.set(outputs[0]!.dataId, taken ? `${made}${values.length}` : made);
  }

  function executed(type: string, attributes: OpAttribute[], { inputs, outputs }: { inputs: tf.Tensor[]; outputs: tf.Tensor[] }): void {
    const from = inputs.map((input) => places.get(input.dataId) ?? addConstant(input));
    if (from.every((place) => values[place]!.constant) && outputs.every(({ size }) => size <= foldUpTo)) {
      nameResults(type, inputs, outputs);
      for (const output of outputs) addConstant(output);
    } else if (type === 'Cast' && inputs[0]!.dtype === outputs[0]!.dtype) {
      places.set(outputs[0]!.dataId, from[0]!);
    } else {
      const named = Object.fromEntries(attributes.map((one) => [one.name, attribute(backend, one)]));
      calls.push({ type, attributes: named, inputs: from, outputs: outputs.map((output) => add(output, null)) });
    }
  }

  const { executeSingleOutput, executeMultipleOutputs, readSync } = backend;
  const inputs = Object.fromEntries(Object.entries(given).map(([name, tensor]) => [name, add(tensor, null)]));
  backend.executeSingleOutput = (type, attributes, inputs) => {
    const output = executeSingleOutput.call(backend, type, attributes, inputs);
    executed(type, attributes, { inputs, outputs: [output] });
    return output;
  };
  backend.executeMultipleOutputs = (type, attributes, inputs, count) => {
    const outputs = executeMultipleOutputs.call(backend, type, attributes, inputs, count);
    executed(type, attributes, { inputs, outputs });
    return outputs;
  };
  backend.readSync = (dataId) => {
    const place = places.get(dataId);
    if (place === undefined || values[place]!.constant) return readSync.call(backend, dataId);
    throw new CxrError('UNSUPPORTED', `A tensor [${values[place]!.shape.join(', ')}] is read while its operations are recorded.`);
  };
  try {
    const outputs = Object.entries(pass()).map(([name, tensor]) => [name, places.get(tensor.dataId) ?? addConstant(tensor)]);
    return { values, calls, inputs, outputs: Object.fromEntries(outputs) as Record<string, number> };
  } finally {
    // All are the class's: without its own properties the backend has them again.
    for (const own of ['executeSingleOutput', 'executeMultipleOutputs', 'readSync']) Reflect.deleteProperty(backend, own);
  }
}

function attribute({ binding }: Backend, { name, type, value }: OpAttribute): Attribute {
  if (Array.isArray(value) && type === binding.TF_ATTR_INT) return { kind: 'ints', value };
  if (typeof value === 'string' && type === binding.TF_ATTR_STRING) return { kind: 'string', value };
  if (typeof value === 'boolean' && type === binding.TF_ATTR_BOOL) return { kind: 'bool', value };
  if (typeof value === 'number') {
    if (type === binding.TF_ATTR_INT) return { kind: 'int', value };
    if (type === binding.TF_ATTR_FLOAT) return { kind: 'float', value };
    if (type === binding.TF_ATTR_TYPE) return { kind: 'type', value };
  }
  throw new CxrError('UNSUPPORTED', `Attribute ${name} of an operation is of a kind that cannot be exported.`);
}
