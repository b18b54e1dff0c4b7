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
  const candidates = worthwhile(operations, { maker, consumers }).flatMap(({ norm, relu }) => {
    const made = index.get(relu)!;
    const turn = operations.findIndex((operation, at) => at > made && isGradient(operation));
    const late = (consumers.get(relu.outputs[0]!) ?? []).filter((operation) => turn !== -1 && index.get(operation)! >= turn);
    return late.length > 0 ? [{ norm, relu, turn, late }] : [];
  });
  /** Where an operation takes the second computation's result instead of the first one's. */
  const instead = new Map<Operation, Map<Value, Value>>();
  const before = new Map<Operation, Operation[]>();
  for (const { norm, relu, late } of mostKept(candidates)) {
    const [first] = late;
    const [activation] = relu.outputs;
    // Not before the backward pass has come this far: else both would be computed, and kept, at once.
    const after = operations[index.get(first!)! - 1]!.outputs[0]!;
    const again = { ...activation! };
    const second = { ...appliedAgain(norm, again), after };
    before.set(first!, [...(before.get(first!) ?? []), second]);
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

interface Candidate {
  relu: Operation;
  /** Where the backward pass that takes the activation begins. */
  turn: number;
  /** What takes it there. */
  late: readonly Operation[];
}

/**
 * What is worth its time: nothing of an attack's pass, of which only the ReLUs' signs are taken, and training's passes only where they
 * keep more than an attack does, since the memory is there by then.
 */
function mostKept<T extends Candidate>(candidates: readonly T[]): T[] {
  const passes = [...Map.groupBy(candidates, ({ turn }) => turn).values()];
  const isAttack = (pass: readonly T[]): boolean => pass.every(({ late }) => late.every(({ type }) => type === 'ReluGrad'));
  const kept = (pass: readonly T[]): number => pass.reduce((sum, { relu }) => sum + sizeOf(relu.outputs[0]!), 0);
  const keptAnyhow = Math.max(0, ...passes.filter(isAttack).map(kept));
  return passes.filter((pass) => !isAttack(pass) && kept(pass) > keptAnyhow).flat();
}

/** Numbers in it. */
const sizeOf = ({ shape }: Value): number => shape.reduce((product, side) => product * side, 1);

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
