import { describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import type { Network } from '../networks/network.ts';
import { filledNetwork } from './testing.ts';
import { trace } from './trace.ts';

/** A network whose logits are what the function makes of [B, 2, 2, 1]. */
function toy(logits: (x: tf.Tensor4D) => tf.Tensor): Network {
  return {
    name: 'toy',
    inputSize: 2,
    featureShape: [2, 2, 1],
    parameters: new Map(),
    statistics: new Map(),
    evidence: { kind: 'cam', headWeights: () => tf.zeros([1, 14]) },
    noiseSize: 0,
    forward: (x) => ({ features: x, logits: logits(x) as tf.Tensor2D }),
    dispose: () => {},
  };
}

describe('a batch of any size', () => {
  it('is -1 in shapes, and in the sizes of Reshape and Slice', () => {
    const {
      inputs: { image },
      operations,
      outputs,
    } = trace(toy((x) => tf.slice(tf.reshape(x, [x.shape[0], 4]), [0, 1], [-1, 2])));
    expect(image!.shape).toEqual([-1, 2, 2, 1]);
    expect(outputs['logits']!.shape).toEqual([-1, 2]);
    expect(outputs['features']).toBe(image);
    const sizes = operations.map(({ type, inputs }) => [type, [...inputs.at(-1)!.constant!.data]]);
    expect(sizes).toEqual([
      ['Reshape', [-1, 4]],
      ['Slice', [-1, 2]],
    ]);
  });

  it.each([
    ['a factor of the number of images', (x: tf.Tensor4D) => tf.mul(x, x.shape[0]), 'Mul computes with numbers that depend'],
    ['tensors made for the batch', (x: tf.Tensor4D) => tf.add(x, tf.ones([x.shape[0], 2, 2, 1])), 'Add computes with numbers'],
    ['pixels read out of the graph', (x: tf.Tensor4D) => tf.mul(x, x.dataSync()[0]!), 'is read while its operations are recorded'],
    ['other steps', (x: tf.Tensor4D) => (x.shape[0] === 2 ? tf.neg(x) : tf.relu(x)), 'other steps for two images'],
  ])('is refused with %s', (_, logits, message) => {
    expect(() => trace(toy(logits))).toThrow(message);
  });
});

describe('the record', () => {
  it('holds what depends on the image and leads to an output; the rest are constants, or left out', () => {
    const { operations } = trace(
      toy((x) => {
        tf.exp(x);
        return tf.add(tf.cast(x, 'float32'), tf.mul(tf.scalar(2), tf.scalar(3)));
      }),
    );
    expect(operations.map(({ type }) => type)).toEqual(['Add']);
    expect([...operations[0]!.inputs[1]!.constant!.data]).toEqual([6]);
  });

  it('names the parameters, keeps no tensor, and gives the backend back, after an error too', () => {
    const network = filledNetwork('truncated-densenet121', 'small');
    const before = tf.memory().numTensors;
    const { operations } = trace(network);
    expect(() =>
      trace(
        toy(() => {
          throw new Error('stop');
        }),
      ),
    ).toThrow('stop');
    expect(tf.memory().numTensors).toBe(before);
    expect(Object.keys(tf.backend()).filter((key) => key.startsWith('execute'))).toEqual([]);
    const names = operations.flatMap(({ inputs }) => inputs.flatMap(({ constant }) => constant?.name ?? []));
    // A grey image takes the sum of the first kernel's channels.
    const kept = names.map((name) => name.replace('stem.convolution.kernel/Sum', 'stem.convolution.kernel'));
    expect([...network.parameters.keys(), ...network.statistics.keys()].filter((name) => !kept.includes(name))).toEqual([]);
    network.dispose();
  });

  it('refuses attributes and types that no format of ours has', () => {
    const complex = (x: tf.Tensor4D) => tf.real(tf.complex(x, x));
    expect(() => trace(toy(complex))).toThrow('type complex64 cannot be exported');
  });
});
