import type { Operation, Value } from './graph.ts';
import type { StepGraph } from './step.ts';

/** Name of an input or output of one of several steps that are one graph. */
export function nameIn(step: number, name: string): string {
  return `${step}/${name}`;
}

/**
 * So many steps as one graph: each reads what the one before it has written, and inputs and outputs are each step's own (`nameIn`).
 * Variables are read before the first step and written after the last.
 */
export function repeated(graph: StepGraph, times: number): StepGraph {
  const inputs: Record<string, Value> = {};
  const outputs: Record<string, Value> = {};
  const reads: Record<string, Value> = { ...graph.reads };
  const written = new Map<string, Value>();
  const operations: Operation[] = [];
  for (let step = 0; step < times; step++) {
    const own = new Map<Value, Value>();
    for (const [variable, value] of Object.entries(graph.reads)) own.set(value, written.get(variable) ?? value);
    const of = (value: Value): Value => own.get(value) ?? value; // constants are shared
    const made = (value: Value): Value => {
      own.set(value, { ...value });
      return of(value);
    };
    for (const [name, value] of Object.entries(graph.inputs)) inputs[nameIn(step, name)] = made(value);
    for (const operation of graph.operations) {
      const after = operation.after && { after: of(operation.after) };
      operations.push({ ...operation, inputs: operation.inputs.map(of), outputs: operation.outputs.map(made), ...after });
    }
    for (const [name, value] of Object.entries(graph.outputs)) outputs[nameIn(step, name)] = of(value);
    for (const [variable, value] of Object.entries(graph.writes)) written.set(variable, of(value));
  }
  return { inputs, operations, reads, writes: Object.fromEntries(written), outputs };
}
