import { isDeepStrictEqual } from 'node:util';
import { CxrError } from '@cxr-lens/data';
import { readOut } from '../engine/read-out.ts';
import { tf } from '../engine/tensorflow.ts';
import { type Constant, type Graph, needed, type Operation, type Value } from '../graph/graph.ts';
import { type Recording, record } from '../graph/record.ts';
import type { Network } from '../networks/network.ts';

/** What of a forward pass is exported: the logits, and what shows where the network saw a finding. */
function exported(network: Network, x: tf.Tensor4D): Record<string, tf.Tensor> {
  const { logits, features, patches, decoded } = network.forward(x, 'inference');
  switch (network.evidence.kind) {
    case 'cam':
      return { logits, features };
    case 'patches':
      return { logits, patches: patches! };
    case 'walk':
      return { logits, decoded: decoded! };
  }
}

/**
 * The operations of one inference pass. It is recorded with two images and with three of other pixels: what the code wrote down of
 * the batch's size differs between the two and becomes -1, so that the graph takes any batch.
 * CxrError UNSUPPORTED names the operation whose numbers depend on the batch or the pixels in another way.
 */
export function trace(network: Network): Graph {
  const [two, three] = [2, 3].map((batch) =>
    readOut(() => {
      const { inputSize } = network;
      const x = tf.fill([batch, inputSize, inputSize, 1], batch / 4) as tf.Tensor4D;
      const named = [...network.parameters, ...network.statistics];
      return record({ inputs: { image: x }, named }, () => exported(network, x));
    }),
  );
  return anyBatch(two!, three!);
}

/** Which input of an operation holds sizes of which one may be -1: what the others leave. */
const TAKES_ANY_SIZE: Record<string, number> = { Reshape: 1, Slice: 2 };

function anyBatch(two: Recording, three: Recording): Graph {
  if (!isDeepStrictEqual([two.calls, two.outputs], [three.calls, three.outputs])) {
    throw new CxrError('UNSUPPORTED', 'The network takes other steps for two images than for three; such a network cannot be exported.');
  }
  const values = two.values.map((value, index): Value => {
    const other = three.values[index]!;
    return { dtype: value.dtype, shape: sizes(value.shape, other.shape), constant: value.constant };
  });
  const operations = two.calls.map(({ type, attributes, inputs, outputs }): Operation => {
    const takes = inputs.map((input, position) => {
      const [a, b] = [two.values[input]!, three.values[input]!];
      if (isDeepStrictEqual(a, b) || !a.constant || !b.constant) return values[input]!;
      if (TAKES_ANY_SIZE[type] === position) {
        return { ...values[input]!, constant: { ...a.constant, data: anySize(a.constant, b.constant, { type }) } };
      }
      const message = `${type} computes with numbers that depend on the number of images or on their pixels`;
      throw new CxrError('UNSUPPORTED', `${message}; such a network cannot be exported.`);
    });
    return { type, attributes, inputs: takes, outputs: outputs.map((output) => values[output]!) };
  });
  const outputs = Object.fromEntries(Object.entries(two.outputs).map(([name, index]) => [name, values[index]!]));
  return { inputs: { image: values[two.inputs['image']!]! }, operations: needed(operations, Object.values(outputs)), outputs };
}

function sizes(two: readonly number[], three: readonly number[]): number[] {
  return two.map((size, axis) => (size === three[axis] ? size : -1));
}

function anySize(two: Constant, three: Constant, { type }: { type: string }): Int32Array {
  const found = sizes([...two.data], [...three.data]);
  if (found.filter((size) => size === -1).length === 1) return Int32Array.from(found);
  throw new CxrError('UNSUPPORTED', `${type} to [${found.join(', ')}] has more than one size that depends on the number of images.`);
}
