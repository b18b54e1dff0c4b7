import { CxrError } from '@cxr-lens/data';
import { tf } from '../engine/tensorflow.ts';
import type { Network } from '../networks/network.ts';
import type { Attribute, Constant, Value } from './graph.ts';

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
  image: number;
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
}

/**
 * Records the operations that `pass` executes on `x`. Operations on constants alone are not recorded: their results are constants.
 * @param pass gives the outputs to keep, by name
 */
export function record(network: Network, x: tf.Tensor, pass: () => Record<string, tf.Tensor>): Recording {
  const backend = tf.backend() as unknown as Backend;
  const names = new Map([...network.parameters, ...network.statistics].map(([name, variable]) => [variable.dataId, name]));
  const values: Value[] = [];
  const calls: Call[] = [];
  // TF.js's clones and reshaped views that compute nothing share the data.
  const places = new Map<object, number>();

  function add({ dataId, dtype, shape }: tf.Tensor, constant: Constant | null): number {
    if (dtype !== 'float32' && dtype !== 'int32') throw new CxrError('UNSUPPORTED', `A tensor of type ${dtype} cannot be exported.`);
    values.push({ dtype, shape: [...shape], constant });
    places.set(dataId, values.length - 1);
    return values.length - 1;
  }

  function addConstant(tensor: tf.Tensor): number {
    const name = names.get(tensor.dataId) ?? `constant${values.length}`;
    return add(tensor, { name, data: tensor.dataSync<'float32' | 'int32'>() });
  }

  function executed(type: string, given: OpAttribute[], { inputs, outputs }: { inputs: tf.Tensor[]; outputs: tf.Tensor[] }): void {
    const from = inputs.map((input) => places.get(input.dataId) ?? addConstant(input));
    if (from.every((place) => values[place]!.constant)) {
      for (const output of outputs) addConstant(output);
    } else if (type === 'Cast' && inputs[0]!.dtype === outputs[0]!.dtype) {
      places.set(outputs[0]!.dataId, from[0]!);
    } else {
      const attributes = Object.fromEntries(given.map((one) => [one.name, attribute(backend, one)]));
      calls.push({ type, attributes, inputs: from, outputs: outputs.map((output) => add(output, null)) });
    }
  }

  const image = add(x, null);
  const { executeSingleOutput, executeMultipleOutputs } = backend;
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
  try {
    const outputs = Object.entries(pass()).map(([name, tensor]) => [name, places.get(tensor.dataId)!]);
    return { values, calls, image, outputs: Object.fromEntries(outputs) as Record<string, number> };
  } finally {
    // Both are the class's: without its own properties the backend has them again.
    Reflect.deleteProperty(backend, 'executeSingleOutput');
    Reflect.deleteProperty(backend, 'executeMultipleOutputs');
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
