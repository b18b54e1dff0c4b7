import type { Operation, Value } from './graph.ts';

const isGradient = ({ type }: Operation): boolean => /Grad(V3)?$|^Conv2DBackprop/.test(type);

/**
 * What batch norm with ReLU gives is not kept from the forward to the backward pass but computed again there, from what batch norm has to
 * keep anyhow: to the same last bit, in more time and less memory (docs/performance.md; Pleiss et al. 2017, "Memory-efficient
 * implementation of DenseNets").
 */
export function recomputeActivations(operations: readonly Operation[]): Operation[] {
  const index = new Map(operations.map((operation, at) => [operation, at]));
  const consumers = new Map<Value, Operation[]>();
  for (const operation of operations) {
    for (const input of new Set(operation.inputs)) consumers.set(input, [...(consumers.get(input) ?? []), operation]);
  }
  const maker = new Map(operations.flatMap((operation) => operation.outputs.map((output) => [output, operation] as const)));
  /** Where an operation takes the second computation's result instead of the first one's. */
  const instead = new Map<Operation, Map<Value, Value>>();
  const before = new Map<Operation, Operation[]>();
  for (const relu of operations) {
    const norm = maker.get(relu.inputs[0]!);
    if (relu.type !== 'Relu' || norm?.type !== 'FusedBatchNormV3' || consumers.get(norm.outputs[0]!)!.length > 1) continue;
    const made = index.get(relu)!;
    const turn = operations.findIndex((operation, at) => at > made && isGradient(operation));
    const [activation] = relu.outputs;
    const late = (consumers.get(activation!) ?? []).filter((operation) => turn !== -1 && index.get(operation)! >= turn);
    const [first] = late;
    if (!first) continue;
    // Not before the backward pass has come this far: else both would be computed, and kept, at once.
    const after = operations[index.get(first)! - 1]!.outputs[0]!;
    const [normed, again] = [{ ...norm.outputs[0]! }, { ...activation! }];
    const second = { ...norm, outputs: [normed, ...norm.outputs.slice(1).map((output) => ({ ...output }))], after };
    before.set(first, [...(before.get(first) ?? []), second, { ...relu, inputs: [normed], outputs: [again] }]);
    for (const operation of late) instead.set(operation, new Map([...(instead.get(operation) ?? []), [activation!, again]]));
  }
  return operations.flatMap((operation) => {
    const own = instead.get(operation);
    const taken = own ? { ...operation, inputs: operation.inputs.map((input) => own.get(input) ?? input) } : operation;
    return [...(before.get(operation) ?? []), taken];
  });
}
