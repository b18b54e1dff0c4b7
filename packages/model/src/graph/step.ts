import type { Dtype, Graph, Value } from './graph.ts';
import { DTYPES, encodeSavedModel, type Node, NodeWriter, shapeMessage } from './saved-model.ts';

/** A graph that reads and writes what is kept between its calls. */
export interface StepGraph extends Graph {
  /** By the names of the variables: their values before, and after where the step changes them. */
  reads: Readonly<Record<string, Value>>;
  writes: Readonly<Record<string, Value>>;
}

export interface Variable {
  dtype: Dtype;
  shape: readonly number[];
}

/** Names of the nodes that a session is fed and asked by. */
export const NODES = {
  input: (step: string, name: string) => `${step}/in/${name}`,
  output: (step: string, name: string) => `${step}/out/${name}`,
  /** Placeholder of a variable's new value; asking for `allSet` takes them over. */
  given: (variable: string) => `state/${variable}/given`,
  allSet: 'state/set',
  kept: (variable: string) => `state/${variable}/kept`,
} as const;

/** The bytes of `saved_model.pb`: several steps on the same variables. */
export function encodeSteps(steps: Readonly<Record<string, StepGraph>>, variables: Readonly<Record<string, Variable>>): Uint8Array {
  const nodes: Node[] = [];
  encodeVariables(nodes, variables);
  for (const [name, step] of Object.entries(steps)) encodeStep(nodes, { name, ...step });
  return encodeSavedModel(nodes);
}

const handle = (variable: string): string => `state/${variable}`;

function encodeVariables(nodes: Node[], variables: Readonly<Record<string, Variable>>): void {
  const writer = new NodeWriter(nodes);
  for (const [name, { dtype, shape }] of Object.entries(variables)) {
    const type = { type: DTYPES[dtype] };
    writer.node(handle(name), 'VarHandleOp', [], {
      dtype: type,
      shape: { shape: shapeMessage(shape) },
      shared_name: { s: Buffer.from(name) },
    });
    const given = writer.placeholder(NODES.given(name), { dtype, shape });
    writer.node(`${handle(name)}/set`, 'AssignVariableOp', [handle(name), given], { dtype: type });
    writer.node(NODES.kept(name), 'ReadVariableOp', [handle(name)], { dtype: type });
  }
  const set = Object.keys(variables).map((name) => `^${handle(name)}/set`);
  const one = { tensor: { dtype: DTYPES.float32, tensorShape: shapeMessage([]), floatVal: [1] } };
  writer.node(NODES.allSet, 'Const', set, { dtype: { type: DTYPES.float32 }, value: one });
}

function encodeStep(nodes: Node[], { name, inputs, reads, operations, writes, outputs }: StepGraph & { name: string }): void {
  const writer = new NodeWriter(nodes, `${name}/`);
  for (const [input, value] of Object.entries(inputs)) writer.name(value, writer.placeholder(NODES.input(name, input), value));
  for (const [variable, value] of Object.entries(reads)) {
    const read = writer.node(`${name}/read/${variable}`, 'ReadVariableOp', [handle(variable)], { dtype: { type: DTYPES[value.dtype] } });
    writer.name(value, read);
  }
  for (const [index, operation] of operations.entries()) writer.operation(operation, index);
  const written = Object.entries(writes).map(([variable, value]) => {
    // Whoever reads the variable in this step reads it before.
    const before = variable in reads ? [`^${name}/read/${variable}`] : [];
    const node = `${name}/write/${variable}`;
    return writer.node(node, 'AssignVariableOp', [handle(variable), writer.nameOf(value), ...before], {
      dtype: { type: DTYPES[value.dtype] },
    });
  });
  for (const [output, value] of Object.entries(outputs)) writer.output(NODES.output(name, output), value, written);
}
