import { afterAll, expect, it } from 'vitest';
import { compile, type Step, type StepPlan } from '../engine/compile.ts';
import type { HostArrays } from '../engine/host-array.ts';
import { tf } from '../engine/tensorflow.ts';
import { chain, layers } from '../networks/layers.ts';
import { foldBatchNorm } from './fold.ts';
import { needed, type Operation } from './graph.ts';
import { recomputeActivations } from './recompute.ts';
import { inputGradientOfNorms, shareImage } from './share.ts';
import type { StepGraph } from './step.ts';

const make = layers({ seed: 1, runningMomentum: 0.1 });
const network = chain([
  make.convolution('a', { kernel: 3, from: 2, to: 8 }),
  make.normRelu('b', 8),
  make.convolution('c', { kernel: 1, from: 8, to: 4 }),
  make.normRelu('d', 4),
]);
afterAll(() => make.dispose());

const inputs: HostArrays = {
  x: { shape: [1, 5, 5, 2], data: Float32Array.from({ length: 50 }, (_, at) => Math.sin(7 * at)) },
  scale: { shape: [3, 1, 1, 1], data: Float32Array.of(1, 2, -1) },
};
const all = new Map([...make.parameters, ...make.statistics]);

/** What the step gives, and the operations that it is made of, before and after the rewriting. */
function both(step: Step, rewrite: NonNullable<StepPlan['rewrite']>, frozen: boolean) {
  const graphs: StepGraph[] = [];
  const noting = (graph: StepGraph): StepGraph => {
    graphs.push(graph, rewrite(graph));
    return graphs[1]!;
  };
  const kept = frozen ? { state: new Map(), frozen: all } : { state: all };
  // Compiling checks that what is rewritten gives what the step gave.
  compile({ one: { step, inputs, outputs: ['y'], rewrite: noting } }, { ...kept, key: null }).dispose();
  const count = (type: string): number[] =>
    graphs.map(({ operations }) => operations.filter((operation) => operation.type === type).length);
  return { graphs, count };
}

const only = (graph: StepGraph, operations: Operation[]): StepGraph => ({
  ...graph,
  operations: needed(operations, [...Object.values(graph.outputs), ...Object.values(graph.writes)]),
});

it('batch norm goes into the convolution before it, where nothing else takes what is between', () => {
  const step: Step = ({ x }) => ({ y: tf.sum(network(x as tf.Tensor4D, 'inference')) });
  const fold = (graph: StepGraph): StepGraph => only(graph, foldBatchNorm(graph.operations, new Set()));
  const { count } = both(step, fold, true);
  expect(count('FusedBatchNormV3')).toEqual([2, 0]);
  expect(count('BiasAdd')).toEqual([0, 2]);

  const first = make.convolution('e', { kernel: 1, from: 2, to: 2 });
  const norm = make.norm('f', 2);
  const seen: Step = ({ x }) => {
    const between = first(x as tf.Tensor4D, 'inference');
    return { y: tf.add(tf.sum(norm(between, 'inference')), tf.mean(between)) };
  };
  expect(both(seen, fold, true).count('FusedBatchNormV3')).toEqual([1, 1]);
});

it('what copies of an image share is computed of one', () => {
  const step: Step = ({ x, scale }) => {
    const copies = tf.tile(x!, [3, 1, 1, 1]);
    return { y: tf.grad((input) => tf.sum(tf.mul(network(input as tf.Tensor4D, 'inference'), scale!)))(copies) };
  };
  const share = (graph: StepGraph): StepGraph => {
    const image = graph.operations.find(({ type }) => type === 'Tile')!.inputs[0]!;
    return only(graph, shareImage(inputGradientOfNorms(graph.operations), image));
  };
  const { graphs, count } = both(step, share, true);
  const images = ({ operations }: StepGraph): number[] =>
    operations.flatMap(({ type, outputs }) => (type === 'FusedBatchNormV3' ? [outputs[0]!.shape[0]!] : []));
  expect(images(graphs[0]!)).toEqual([3, 3]);
  expect(images(graphs[1]!)).toEqual([1, 1]);
  expect(count('FusedBatchNormGradV3')).toEqual([2, 0]);
  expect(count('Tile')).toEqual([1, 0]);
});

const again = (graph: StepGraph): StepGraph => ({ ...graph, operations: recomputeActivations(graph.operations) });
const lossAt = (x: tf.Tensor): tf.Scalar => tf.mean(network(x as tf.Tensor4D, 'frozen-batch'));

/** The loss and all gradients of the weights. */
function trained(loss: () => tf.Scalar): Record<string, tf.Tensor> {
  const { value, grads } = tf.variableGrads(loss, [...make.parameters.values()]);
  return { y: tf.addN([value, ...Object.values(grads).map((gradient) => tf.sum(tf.abs(gradient)))]) };
}

it('activations that the backward pass takes are computed for it again, and no others', () => {
  expect(both(({ x }) => trained(() => lossAt(x!)), again, false).count('_FusedBatchNormEx')).toEqual([0, 2]);
  expect(both(({ x }) => ({ y: lossAt(x!) }), again, false).count('_FusedBatchNormEx')).toEqual([0, 0]);
});

it('none are computed again after an attack that has kept as much, and those of a training pass that keeps more', () => {
  const attacked = (x: tf.Tensor): tf.Tensor => tf.add(x, tf.sign(tf.grad(lossAt)(x)));
  const one: Step = ({ x }) => {
    const moved = attacked(x!);
    return trained(() => lossAt(moved));
  };
  const two: Step = ({ x }) => {
    const moved = attacked(x!);
    return trained(() => tf.add(lossAt(moved), lossAt(x!)));
  };
  expect(both(one, again, false).count('_FusedBatchNormEx')).toEqual([0, 0]);
  expect(both(two, again, false).count('_FusedBatchNormEx')).toEqual([0, 4]);
});
