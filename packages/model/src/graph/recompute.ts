import { type Attribute, attributeOf, type Operation, type Value } from './graph.ts';

const isGradient = ({ type }: Operation): boolean => /Grad(V3)?$|^Conv2DBackprop/.test(type);

/**
 * What batch norm with ReLU gives is not kept from the forward to the backward pass but computed again there, from what batch norm has to
 * keep anyhow, its statistics included: to the same last bit, in more time and less memory (docs/performance.md; Pleiss et al. 2017,
 * "Memory-efficient implementation of DenseNets"). For oneDNN, whose fused operation writes the ReLU's result in the same pass; on a GPU
 * the second statistic is not the variance.
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
  for (const { norm, relu } of worthwhile(operations, { maker, consumers })) {
    const made = index.get(relu)!;
    const turn = operations.findIndex((operation, at) => at > made && isGradient(operation));
    const [activation] = relu.outputs;
    const late = (consumers.get(activation!) ?? []).filter((operation) => turn !== -1 && index.get(operation)! >= turn);
    const [first] = late;
    if (!first) continue;
    // Not before the backward pass has come this far: else both would be computed, and kept, at once.
    const after = operations[index.get(first)! - 1]!.outputs[0]!;
    const again = { ...activation! };
    const second = { ...appliedAgain(norm, again), after };
    before.set(first, [...(before.get(first) ?? []), second]);
    for (const operation of late) instead.set(operation, new Map([...(instead.get(operation) ?? []), [activation!, again]]));
  }
  return operations.flatMap((operation) => {
    const own = instead.get(operation);
    const taken = own ? { ...operation, inputs: operation.inputs.map((input) => own.get(input) ?? input) } : operation;
    return [...(before.get(operation) ?? []), taken];
  });
}

interface Links {
  maker: ReadonlyMap<Value, Operation>;
  consumers: ReadonlyMap<Value, readonly Operation[]>;
}

/**
 * Of batch norms with ReLU those of concatenations, where there are any: each layer of a dense block makes one of all the maps before
 * it, so that they are most of what is kept, while the others are needed again too soon to be worth their time.
 */
function worthwhile(operations: readonly Operation[], { maker, consumers }: Links): { norm: Operation; relu: Operation }[] {
  const all = operations.flatMap((relu) => {
    const norm = relu.type === 'Relu' ? maker.get(relu.inputs[0]!) : undefined;
    if (norm?.type !== 'FusedBatchNormV3' || consumers.get(norm.outputs[0]!)!.length > 1) return [];
    // What TensorFlow's fused operation takes.
    return norm.outputs[0]!.shape[3]! % 4 === 0 ? [{ norm, relu }] : [];
  });
  const ofConcatenations = all.filter(({ norm }) => maker.get(norm.inputs[0]!)?.type === 'ConcatV2');
  return ofConcatenations.length > 0 ? ofConcatenations : all;
}

/** Batch norm by the statistics that it has found before, and ReLU. */
function appliedAgain(norm: Operation, activation: Value): Operation {
  const [x, scale, offset, ...averages] = norm.inputs;
  const statistics = attributeOf(norm, 'is_training', { kind: 'bool' }) ? norm.outputs.slice(3, 5) : averages;
  const attributes: Record<string, Attribute> = {
    ...norm.attributes,
    is_training: { kind: 'bool', value: false },
    num_side_inputs: { kind: 'int', value: 0 },
    activation_mode: { kind: 'string', value: 'Relu' },
  };
  const outputs = [activation, ...norm.outputs.slice(1).map((output) => ({ ...output }))];
  return { type: '_FusedBatchNormEx', attributes, inputs: [x!, scale!, offset!, ...statistics], outputs };
}
