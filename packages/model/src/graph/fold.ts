import { attributeOf, type Operation, type Value } from './graph.ts';

/**
 * Convolution and batch norm by moving averages as one convolution with a bias, where nothing else takes the convolution's result:
 * w' = w s / sqrt(v + eps), b' = o - m s / sqrt(v + eps) (Jacob et al., CVPR 2018, section 3.2). Of constant weights alone.
 */
export function foldBatchNorm(operations: readonly Operation[], kept: ReadonlySet<Value>): Operation[] {
  const maker = new Map(operations.flatMap((operation) => operation.outputs.map((output) => [output, operation] as const)));
  const uses = new Map<Value, number>();
  for (const value of operations.flatMap(({ inputs }) => inputs)) uses.set(value, (uses.get(value) ?? 0) + 1);
  const folded = new Map<Operation, Operation[]>();
  /** By the norm's scale: several passes through a layer are folded to the same constants. */
  const constants = new Map<Value, { kernel: Value; bias: Value }>();
  const gone = new Set<Operation>();
  for (const norm of operations) {
    if (norm.type !== 'FusedBatchNormV3' || attributeOf(norm, 'is_training', { kind: 'bool' })) continue;
    const convolution = maker.get(norm.inputs[0]!);
    const [x, kernel] = convolution?.inputs ?? [];
    const state = norm.inputs.slice(1).map(({ constant }) => constant?.data);
    if (convolution?.type !== 'Conv2D' || !kernel?.constant || state.some((data) => data === undefined)) continue;
    const between = convolution.outputs[0]!;
    if (uses.get(between) !== 1 || kept.has(between)) continue;
    const own =
      constants.get(norm.inputs[1]!) ?? foldedWeights(kernel, state as Float32Array[], attributeOf(norm, 'epsilon', { kind: 'float' }));
    constants.set(norm.inputs[1]!, own);
    gone.add(convolution);
    const type = { kind: 'type', value: 1 } as const;
    folded.set(norm, [
      { ...convolution, inputs: [x!, own.kernel] },
      {
        type: 'BiasAdd',
        attributes: { T: type, data_format: { kind: 'string', value: 'NHWC' } },
        inputs: [between, own.bias],
        outputs: [norm.outputs[0]!],
      },
    ]);
  }
  return operations.flatMap((operation) => (gone.has(operation) ? [] : (folded.get(operation) ?? [operation])));
}

function foldedWeights(
  { shape, constant }: Value,
  [scale, offset, mean, variance]: readonly Float32Array[],
  epsilon: number,
): { kernel: Value; bias: Value } {
  const { name, data } = constant!;
  const factor = scale!.map((value, channel) => value / Math.sqrt(variance![channel]! + epsilon));
  const channels = factor.length;
  const weights = Float32Array.from(data, (value, at) => value * factor[at % channels]!);
  const bias = offset!.map((value, channel) => value - mean![channel]! * factor[channel]!);
  return {
    kernel: { dtype: 'float32', shape, constant: { name: `${name}/folded`, data: weights } },
    bias: { dtype: 'float32', shape: [channels], constant: { name: `${name}/bias`, data: bias } },
  };
}
