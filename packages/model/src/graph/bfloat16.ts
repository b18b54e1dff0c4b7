import type { Attribute, Operation, Value } from './graph.ts';
import type { StepGraph } from './step.ts';

/** What is worth bfloat16 by itself. */
const ALWAYS = new Set(['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter']);

/** What goes on in bfloat16 where an input already is: it moves or compares numbers, or keeps its sums in float32. */
const FOLLOW = new Set([
  'Relu',
  'ReluGrad',
  'MaxPool',
  'MaxPoolGrad',
  'AvgPool',
  'AvgPoolGrad',
  'ConcatV2',
  'Slice',
  'SplitV',
  'Pad',
  'PadV2',
  'FusedBatchNormV3',
  '_FusedBatchNormEx',
  'FusedBatchNormGradV3',
  'BiasAdd',
  'Add',
  'AddV2',
  'AddN',
  'Reshape',
]);

/** The inputs that are of the operation's type T, where that is not all of them. */
const INPUTS: Record<string, readonly number[]> = {
  Conv2DBackpropInput: [1, 2],
  Conv2DBackpropFilter: [0, 2],
  AvgPoolGrad: [1],
  SplitV: [0],
  Slice: [0],
  Pad: [0],
  PadV2: [0, 2],
  Reshape: [0],
  FusedBatchNormV3: [0],
  _FusedBatchNormEx: [0],
  FusedBatchNormGradV3: [0, 1],
};

/** The outputs of type T, where that is not all of them: batch norm's statistics stay float32. */
const OUTPUTS: Record<string, readonly number[]> = { FusedBatchNormV3: [0], _FusedBatchNormEx: [0], FusedBatchNormGradV3: [0] };

const ofType = (value: number): Attribute => ({ kind: 'type', value });
const [FLOAT32, BFLOAT16] = [ofType(1), ofType(14)];

/**
 * Mixed precision: convolutions, and what stands between them, take and give bfloat16; sums inside them, batch norm's statistics, the
 * loss, the weights and the optimiser stay float32 (Kalamkar et al. 2019, "A study of bfloat16 for deep learning training").
 * @param native whether the machine multiplies bfloat16 itself; else the same numbers are rounded to it and computed with in float32,
 *   which is slower than float32 alone but gives what a machine of the other kind would give, up to the order of sums
 */
export function toBfloat16(graph: StepGraph, { native }: { native: boolean }): StepGraph {
  const operations: Operation[] = [];
  /** Of values in bfloat16, or rounded to it: what stands for them. */
  const low = new Map<Value, Value>();
  const high = new Map<Value, Value>();
  /** What an operation in bfloat16 gives. */
  const computedLow = new Set<Value>();

  const spreads = new Map(graph.operations.flatMap((one) => (one.type === 'BroadcastTo' ? [[one.outputs[0]!, one] as const] : [])));

  function cast(from: Value, to: 'float32' | 'bfloat16'): Value {
    const result: Value = { dtype: to, shape: from.shape, constant: null };
    const [source, target] = to === 'bfloat16' ? [FLOAT32, BFLOAT16] : [BFLOAT16, FLOAT32];
    operations.push({ type: 'Cast', attributes: { SrcT: source, DstT: target }, inputs: [from], outputs: [result] });
    return result;
  }

  /** What is spread out is rounded before. */
  function rounded(value: Value): Value {
    const spread = spreads.get(value);
    if (!spread) return cast(value, 'bfloat16');
    const result: Value = { dtype: 'bfloat16', shape: value.shape, constant: null };
    const [narrow, shape] = spread.inputs;
    operations.push({ ...spread, inputs: [cast(narrow!, 'bfloat16'), shape!], outputs: [result] });
    return result;
  }

  function lowered(value: Value): Value {
    const known = low.get(value);
    if (known) return known;
    const made = rounded(value);
    low.set(value, native ? made : cast(made, 'float32'));
    return low.get(value)!;
  }

  /** The value in float32, for what does not follow. */
  function raised(value: Value): Value {
    if (!computedLow.has(value)) return value;
    const known = low.get(value)!;
    if (native && !high.has(value)) high.set(value, cast(known, 'float32'));
    return native ? high.get(value)! : known;
  }

  for (const operation of graph.operations) {
    const { type, inputs, outputs } = operation;
    const own = INPUTS[type] ?? inputs.flatMap((_, index) => (type === 'ConcatV2' && index === inputs.length - 1 ? [] : [index]));
    const isLow = (index: number): boolean => computedLow.has(inputs[index]!);
    const maps = own.every((index) => isMap(inputs[index]!) || (index > 0 && (type === 'BiasAdd' || type === 'PadV2')));
    // The product that is a kernel's gradient takes two maps; a head's weights are no map.
    const follows = FOLLOW.has(type) ? maps && own.some(isLow) : type === 'BatchMatMulV2' && own.every(isLow);
    const after = operation.after && { after: low.get(operation.after) ?? operation.after };
    if (!follows && !(maps && ALWAYS.has(type))) {
      operations.push({ ...operation, inputs: inputs.map(raised), ...after });
      continue;
    }
    const takes = inputs.map((input, index) => (own.includes(index) ? lowered(input) : raised(input)));
    const lowOutputs = outputs.filter((_, index) => OUTPUTS[type]?.includes(index) ?? true);
    const results = outputs.map((output): Value => {
      if (!lowOutputs.includes(output)) return output;
      computedLow.add(output);
      if (!native) return output;
      const result: Value = { dtype: 'bfloat16', shape: output.shape, constant: null };
      low.set(output, result);
      return result;
    });
    const attributes = native ? { ...operation.attributes, ...typesOf(type) } : operation.attributes;
    operations.push({ ...operation, attributes, inputs: takes, outputs: results, ...after });
    if (!native) for (const output of lowOutputs) low.set(output, cast(cast(output, 'bfloat16'), 'float32'));
  }
  const kept = (values: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, raised(value)]));
  const [outputs, writes] = [kept(graph.outputs), kept(graph.writes)];
  return { ...graph, operations, outputs, writes };
}

const isMap = ({ dtype, shape }: Value): boolean => dtype === 'float32' && shape.length === 4;

function typesOf(type: string): Record<string, Attribute> {
  return /FusedBatchNorm/.test(type) ? { T: BFLOAT16, U: FLOAT32 } : { T: BFLOAT16 };
}
