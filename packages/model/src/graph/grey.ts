import type { Operation, Value } from './graph.ts';

/**
 * The first convolution of a grey image that is shown to it as three equal channels, each normalised alike, as a convolution of the one
 * channel: (x - m) s w1 + (x - m) s w2 + (x - m) s w3 = (x - m) (s w1 + s w2 + s w3). Of constant weights alone; channels that are
 * normalised by means of their own stay three, for they are padded with zeros.
 */
export function foldGrey(operations: readonly Operation[]): Operation[] {
  const maker = new Map(operations.flatMap((operation) => operation.outputs.map((output) => [output, operation] as const)));
  const uses = new Map<Value, number>();
  for (const value of operations.flatMap(({ inputs }) => inputs)) uses.set(value, (uses.get(value) ?? 0) + 1);
  const alone = (value: Value | undefined): Operation | undefined => (value && uses.get(value) === 1 ? maker.get(value) : undefined);
  /** By the kernel of three channels: several passes take the same one. */
  const kernels = new Map<Value, Value>();
  const instead = new Map<Operation, Operation[]>();
  for (const convolution of operations) {
    const [shown, kernel] = convolution.inputs;
    if (convolution.type !== 'Conv2D' || !kernel?.constant) continue;
    const before = alone(shown);
    const pad = before?.type === 'PadV2' ? before : null;
    const mul = pad ? alone(pad.inputs[0]) : before;
    const sub = mul?.type === 'Mul' ? alone(mul.inputs[0]) : undefined;
    const [x, mean] = sub?.inputs ?? [];
    const scale = mul?.inputs[1]?.constant?.data;
    if (sub?.type !== 'Sub' || x?.shape[3] !== 1 || !mean?.constant || !scale || kernel.shape[2] !== scale.length) continue;
    const [first] = mean.constant.data;
    if (mean.constant.data.some((value) => value !== first)) continue;
    const one = kernels.get(kernel) ?? summed(kernel, scale);
    kernels.set(kernel, one);
    const centre: Value = { dtype: 'float32', shape: [], constant: { name: `${mean.constant.name}/grey`, data: Float32Array.of(first!) } };
    const grey = (value: Value): Value => ({ ...value, shape: [...value.shape.slice(0, 3), 1] });
    const centred = grey(sub.outputs[0]!);
    const padded = pad ? grey(pad.outputs[0]!) : centred;
    for (const gone of [sub, mul!]) instead.set(gone, []);
    if (pad) instead.set(pad, []);
    instead.set(convolution, [
      { ...sub, inputs: [x, centre], outputs: [centred] },
      ...(pad ? [{ ...pad, inputs: [centred, ...pad.inputs.slice(1)], outputs: [padded] }] : []),
      { ...convolution, inputs: [padded, one] },
    ]);
  }
  return operations.flatMap((operation) => instead.get(operation) ?? [operation]);
}

/** [k, k, C, K], each channel scaled, to [k, k, 1, K]. */
function summed({ shape, constant }: Value, scale: ArrayLike<number>): Value {
  const [height, width, from, to] = shape as [number, number, number, number];
  const data = new Float32Array(height * width * to);
  for (const [at, weight] of constant!.data.entries()) {
    const channel = Math.floor(at / to) % from;
    data[Math.floor(at / (to * from)) * to + (at % to)]! += weight * scale[channel]!;
  }
  return { dtype: 'float32', shape: [height, width, 1, to], constant: { name: `${constant!.name}/grey`, data } };
}
