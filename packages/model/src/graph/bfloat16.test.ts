import { describe, expect, it } from 'vitest';
import { compile, type Step } from '../engine/compile.ts';
import { convolutionOfSlowGradients } from '../engine/convolution.ts';
import type { HostArrays } from '../engine/host-array.ts';
import { meanOfMap, relu } from '../engine/operations.ts';
import { tf } from '../engine/tensorflow.ts';
import { layers, maxPool } from '../networks/layers.ts';
import { toBfloat16 } from './bfloat16.ts';
import { recomputeActivations } from './recompute.ts';
import type { StepGraph } from './step.ts';

/** To the nearest number of 8 significant bits, of two equally near ones to the even. */
function rounded(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  const up = 0x7fff + ((bits >>> 16) & 1);
  return new Float32Array(Uint32Array.of(((bits + up) & 0xffff0000) >>> 0).buffer)[0]!;
}

const x = Float32Array.from({ length: 2 * 3 * 3 * 2 }, (_, at) => Math.sin(3 * at));
const w = Float32Array.from({ length: 2 * 3 }, (_, at) => Math.cos(5 * at));
const inputs: HostArrays = { x: { shape: [2, 3, 3, 2], data: x }, w: { shape: [1, 1, 2, 3], data: w } };

interface Run {
  native: boolean;
  outputs: readonly string[];
  before?: (graph: StepGraph) => StepGraph;
}

function run(step: Step, { native, outputs, before = (graph) => graph }: Run) {
  const graphs: StepGraph[] = [];
  const rewrite = (graph: StepGraph): StepGraph => {
    graphs.push(toBfloat16(before(graph), { native }));
    return graphs[0]!;
  };
  const compiled = compile({ one: { step, inputs, outputs, rewrite, tolerance: 0.5 } }, { state: new Map(), key: null });
  const found = compiled.run('one', inputs);
  compiled.dispose();
  return { found, operations: graphs[0]!.operations, types: graphs[0]!.operations.map(({ type }) => type) };
}

const convolved = (t: Record<string, tf.Tensor>): tf.Tensor4D => tf.conv2d(t['x'] as tf.Tensor4D, t['w'] as tf.Tensor4D, 1, 'same');

/** The 1 x 1 convolution with the inputs rounded, its sum of two products exact enough in double, and rounded itself. */
function expected(position: number, channel: number): number {
  const sum = rounded(x[2 * position]!) * rounded(w[channel]!) + rounded(x[2 * position + 1]!) * rounded(w[3 + channel]!);
  return rounded(sum);
}

describe.each([
  ['rounded in float32', false],
  ["by TensorFlow's own kernels", true],
])('%s', (_name, native) => {
  it('a convolution takes and gives numbers of 8 bits, and what follows it too', () => {
    const step: Step = (t) => ({ y: relu(convolved(t)) });
    const { y } = run(step, { native, outputs: ['y'] }).found;
    for (const [at, value] of y!.entries()) expect(value).toBe(Math.max(0, expected(Math.floor(at / 3), at % 3)));
    expect([...y!].some((value, at) => value !== Math.max(0, x[at % x.length]!))).toBe(true);
  });

  it('what computes on the result computes in float32', () => {
    const step: Step = (t) => ({ y: tf.mul(convolved(t), 1 / 3) });
    const { y } = run(step, { native, outputs: ['y'] }).found;
    for (const [at, value] of y!.entries()) expect(value).toBe(Math.fround(expected(Math.floor(at / 3), at % 3) * Math.fround(1 / 3)));
  });

  it('gradients of the weights come back as float32, from rounded products', () => {
    const step: Step = (t) => ({ slope: tf.grad((kernel) => tf.sum(convolved({ ...t, w: kernel })))(t['w']!) });
    const { slope } = run(step, { native, outputs: ['slope'] }).found;
    for (const [at, value] of slope!.entries()) {
      const from = Math.floor(at / 3);
      const sum = Array.from({ length: 18 }, (_, position) => rounded(x[2 * position + from]!)).reduce((a, b) => a + b);
      // Where the CPU does not multiply bfloat16, TensorFlow's own kernel adds up in it too.
      expect(Math.abs(value - sum)).toBeLessThanOrEqual(Math.abs(sum) * 2 ** -8 + (native ? 0.1 : 1e-6));
    }
  });
});

it("the gradient that is a product of two maps is rounded as TensorFlow's own would be", () => {
  const narrow = (input: tf.Tensor, kernel: tf.Tensor): tf.Tensor =>
    convolutionOfSlowGradients(input as tf.Tensor4D, kernel as tf.Tensor4D, { stride: 1, padding: 'same' });
  const step: Step = (t) => {
    const spread = tf.randomNormal([1, 1, 2, 128], 0, 1, 'float32', 5) as tf.Tensor4D;
    const wide = tf.conv2d(t['x'] as tf.Tensor4D, spread, 1, 'same');
    const collect = tf.randomNormal([1, 1, 32, 4], 0, 1, 'float32', 6) as tf.Tensor4D;
    const loss = (kernel: tf.Tensor) => tf.sum(tf.square(tf.conv2d(narrow(wide, kernel) as tf.Tensor4D, collect, 1, 'same')));
    return { slope: tf.grad(loss)(tf.fill([3, 3, 128, 32], 0.01)) };
  };
  const { found, types } = run(step, { native: false, outputs: ['slope'] });
  expect(types).toContain('BatchMatMulV2');
  for (const value of found['slope']!) expect(rounded(value)).toBe(value);
});

it('max pooling and its gradient stay in bfloat16 with the padding before them', () => {
  const pooled = (kernel: tf.Tensor): tf.Tensor => maxPool(relu(convolved({ x: tf.tensor(x, [2, 3, 3, 2]), w: kernel })));
  const step: Step = (t) => ({ slope: tf.grad((kernel) => tf.sum(tf.square(pooled(kernel))))(t['w']!) });
  const { operations } = run(step, { native: true, outputs: ['slope'] });
  const typeOf = (name: string): unknown => operations.find(({ type }) => type === name)!.attributes['T'];
  for (const name of ['PadV2', 'MaxPool', 'MaxPoolGrad']) expect(typeOf(name), name).toEqual({ kind: 'type', value: 14 });
});

it('what is spread out over a map is rounded before, not after', () => {
  const step: Step = (t) => ({ slope: tf.grad((kernel) => tf.sum(tf.square(meanOfMap(relu(convolved({ ...t, w: kernel }))))))(t['w']!) });
  const of = (native: boolean) => run(step, { native, outputs: ['slope'] });
  const [rewritten, other] = [of(true), of(false)];
  const types = rewritten.operations.filter(({ type }) => type === 'BroadcastTo').map(({ outputs }) => outputs[0]!.dtype);
  expect(types).toContain('bfloat16');
  for (const [at, value] of rewritten.found['slope']!.entries()) expect(value).toBeCloseTo(other.found['slope']![at]!, 2);
});

it.each([true, false])('activations computed again for the backward pass are the first ones (native: %s)', (native) => {
  const make = layers({ seed: 2, runningMomentum: 0.1 });
  const [norm, second] = [make.normRelu('norm', 4), make.convolution('second', { kernel: 1, from: 4, to: 4 })];
  const spread = tf.variable(tf.randomNormal([1, 1, 2, 4], 0, 1, 'float32', 5), false) as tf.Tensor4D;
  const loss = (input: tf.Tensor): tf.Scalar =>
    tf.mean(tf.square(second(norm(tf.conv2d(input as tf.Tensor4D, spread, 1, 'same'), 'frozen-batch'), 'train')));
  const step: Step = (t) => {
    const { grads } = tf.variableGrads(() => loss(t['x']!), [...make.parameters.values()]);
    return { slope: tf.concat(Object.values(grads).map((gradient) => tf.reshape(gradient, [-1]))) };
  };
  const again = (graph: StepGraph): StepGraph => ({ ...graph, operations: recomputeActivations(graph.operations) });
  const kept = run(step, { native, outputs: ['slope'] });
  const computed = run(step, { native, outputs: ['slope'], before: again });
  expect(computed.types).toContain('_FusedBatchNormEx');
  for (const [at, value] of computed.found['slope']!.entries()) expect(value).toBeCloseTo(kept.found['slope']![at]!, 4);
  tf.dispose(spread);
  make.dispose();
});

it('leaves alone what has no convolution before it', () => {
  const step: Step = (t) => ({ y: tf.maxPool(tf.add(t['x']!, 1) as tf.Tensor4D, 2, 1, 'valid') });
  expect(run(step, { native: false, outputs: ['y'] }).types).not.toContain('Cast');
});
