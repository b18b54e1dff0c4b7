import { attributeOf, type Operation, type Value } from './graph.ts';

const LIKE_ITS_IMAGES = new Set([
  'Cast',
  'Sub',
  'Mul',
  'Add',
  'AddV2',
  'Pad',
  'PadV2',
  'Conv2D',
  'BiasAdd',
  'FusedBatchNormV3',
  'Relu',
  'MaxPool',
  'AvgPool',
  'ConcatV2',
]);

const FLOAT32 = { kind: 'type', value: 1 } as const;

/**
 * Where a batch repeats one image, what is computed of it alone is computed once: the repetition moves from the image to where
 * something of each copy's own (the gradient of its finding) meets what they share.
 * @param image repeated by a `Tile` along the batch
 */
export function shareImage(operations: readonly Operation[], image: Value): Operation[] {
  const single = new Map<Value, Value>();
  const repeated = new Map<Value, Value>();
  const slopes = new Map<Value, Value>();
  const result: Operation[] = [];
  let tile: Operation | null = null;

  const isShared = (value: Value): boolean => single.has(value) || value.constant !== null;
  /** The value of one image. */
  const one = (value: Value): Value => single.get(value) ?? value;
  /** The value of every copy, repeated where it is shared. */
  function every(value: Value): Value {
    const shared = single.get(value);
    if (!shared) return value;
    if (!repeated.has(value)) {
      repeated.set(value, value);
      const multiples = tile!.inputs[1]!;
      const times = multiples.constant!.data[0]!;
      const own: Value = {
        dtype: 'int32',
        shape: [value.shape.length],
        constant: {
          name: `times${result.length}`,
          data: Int32Array.from({ length: value.shape.length }, (_, axis) => (axis === 0 ? times : 1)),
        },
      };
      result.push({ ...tile!, inputs: [shared, own], outputs: [value] });
    }
    return value;
  }

  /** 1 where the ReLU let the value through, of the one image: multiplied with every copy's gradient it needs no repetition. */
  function slopeOf(value: Value): Value {
    const known = slopes.get(value);
    if (known) return known;
    const shared = one(value);
    const zero: Value = { dtype: 'float32', shape: [], constant: { name: `zero${result.length}`, data: Float32Array.of(0) } };
    const positive: Value = { ...shared, dtype: 'bool' };
    const slope: Value = { ...shared };
    result.push({ type: 'Greater', attributes: { T: FLOAT32 }, inputs: [shared, zero], outputs: [positive] });
    result.push({
      type: 'Cast',
      attributes: { SrcT: { kind: 'type', value: 10 }, DstT: FLOAT32 },
      inputs: [positive],
      outputs: [slope],
    });
    slopes.set(value, slope);
    return slope;
  }

  for (const operation of operations) {
    if (operation.type === 'Tile' && operation.inputs[0] === image) {
      tile = operation;
      single.set(operation.outputs[0]!, image);
      continue;
    }
    const [dy, y] = operation.inputs;
    if (operation.type === 'ReluGrad' && !isShared(dy!) && single.has(y!)) {
      result.push({ type: 'Mul', attributes: { T: FLOAT32 }, inputs: [dy!, slopeOf(y!)], outputs: operation.outputs });
      continue;
    }
    const takesShared = operation.inputs.some((input) => single.has(input));
    if (takesShared && LIKE_ITS_IMAGES.has(operation.type) && operation.inputs.every(isShared)) {
      const outputs = operation.outputs.map((output): Value => {
        const own: Value = output.shape.length === 4 ? { ...output, shape: [1, ...output.shape.slice(1)] } : output;
        single.set(output, own);
        return own;
      });
      result.push({ ...operation, inputs: operation.inputs.map(one), outputs });
    } else {
      result.push({ ...operation, inputs: operation.inputs.map(every) });
    }
  }
  return result;
}

/**
 * The gradient of batch norm by moving averages with respect to its input alone: dy s / sqrt(v + eps), which takes nothing of the
 * input, where the fused operation takes it for the gradients of scale and offset too.
 */
export function inputGradientOfNorms(operations: readonly Operation[]): Operation[] {
  const used = new Set(operations.flatMap(({ inputs }) => inputs));
  return operations.map((operation) => {
    const { type, inputs, outputs } = operation;
    if (type !== 'FusedBatchNormGradV3' || attributeOf(operation, 'is_training', { kind: 'bool' })) return operation;
    const [dy, , scale, , variance] = inputs;
    if (outputs.slice(1).some((output) => used.has(output)) || !scale?.constant || !variance?.constant) return operation;
    const epsilon = attributeOf(operation, 'epsilon', { kind: 'float' });
    const factor = Float32Array.from(
      scale.constant.data,
      (value, channel) => value / Math.sqrt(variance.constant!.data[channel]! + epsilon),
    );
    const constant = { name: `${scale.constant.name}/slope`, data: factor };
    return {
      type: 'Mul',
      attributes: { T: FLOAT32 },
      inputs: [dy!, { dtype: 'float32', shape: [factor.length], constant }],
      outputs: [outputs[0]!],
    };
  });
}
