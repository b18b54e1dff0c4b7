import { CxrError } from '@cxr-lens/data';

/** What an operation's attribute holds, by its kind; `type` is TensorFlow's own number of a data type. */
interface AttributeValues {
  string: string;
  int: number;
  ints: readonly number[];
  float: number;
  bool: boolean;
  type: number;
}

type AttributeKind = keyof AttributeValues;

export type Attribute = { [K in AttributeKind]: { kind: K; value: AttributeValues[K] } }[AttributeKind];

/** What does not depend on the inputs: a parameter under its own name, or a number of the code (axes, sizes, mean). */
export interface Constant {
  name: string;
  data: Float32Array | Int32Array | Uint8Array;
}

/** `bool` has a byte a value; `uint8` and `bfloat16` are TensorFlow's alone, TF.js has no such tensors. */
export type Dtype = 'float32' | 'int32' | 'bool' | 'uint8' | 'bfloat16';

/** One tensor of a graph. Values are the same when they are the same object. */
export interface Value {
  dtype: Dtype;
  /** -1 is the batch. */
  shape: readonly number[];
  constant: Constant | null;
}

/** One executed operation of TensorFlow. */
export interface Operation {
  /** TensorFlow's name of it, e.g. `Conv2D`. */
  type: string;
  attributes: Readonly<Record<string, Attribute>>;
  inputs: readonly Value[];
  outputs: readonly Value[];
  /** What has to be there first, beside the inputs. */
  after?: Value;
}

/** What a piece of code computes, in the order of execution. */
export interface Graph {
  inputs: Readonly<Record<string, Value>>;
  operations: readonly Operation[];
  outputs: Readonly<Record<string, Value>>;
}

/** The operations that the values depend on. */
export function needed(operations: readonly Operation[], values: Iterable<Value>): Operation[] {
  const wanted = new Set<Value>(values);
  const kept = operations.toReversed().filter((operation) => {
    if (!operation.outputs.some((output) => wanted.has(output))) return false;
    for (const input of operation.inputs) wanted.add(input);
    return true;
  });
  return kept.reverse();
}

/** The operation's attribute of that kind; CxrError INTERNAL where TensorFlow was given no such one. */
export function attributeOf<K extends AttributeKind>(
  { type, attributes }: Operation,
  name: string,
  { kind }: { kind: K },
): AttributeValues[K] {
  const found = attributes[name];
  if (found?.kind === kind) return found.value as AttributeValues[K];
  throw new CxrError('INTERNAL', `TensorFlow's ${type} was executed without ${name} (${kind}).`);
}

/** The values of a constant input: axes, sizes, paddings. CxrError UNSUPPORTED where they are computed from the image. */
export function constantOf({ type, inputs }: Operation, position: number): number[] {
  const constant = inputs[position]?.constant;
  if (constant) return [...constant.data];
  throw new CxrError('UNSUPPORTED', `TensorFlow's ${type} takes its input ${position} from the image; only a constant can be exported.`);
}
