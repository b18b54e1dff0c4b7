import { type BatchArrays, toBatch } from './batch.ts';
import { type Compiled, compile, type Step } from './engine/compile.ts';
import type { HostArray, HostArrays } from './engine/host-array.ts';
import { lossesOf, type Objective, stepInputs } from './methods.ts';
import type { Network } from './networks/network.ts';
import type { MethodName, TrainOptions } from './spec/index.ts';
import { keyOf } from './step.ts';

/** The objective of images that nothing is learned from, by graphs: batch norm by its moving averages, also inside an attack. */
export interface LossGraphs {
  /** Logits, [N * 14], and losses, [N], of the images as they are. */
  clean(batch: BatchArrays): { logits: Float32Array; losses: Float32Array };
  /** Losses, [N], of the images attacked. */
  attacked(batch: BatchArrays): Float32Array;
  /** Takes the network's weights as they are now. */
  refresh(): void;
  dispose(): void;
}

interface Of {
  objective: Objective;
  method: MethodName;
  train: TrainOptions;
  /** Images of a batch; a smaller one is filled up. */
  size: number;
}

export function lossGraphs(network: Network, { objective, method, train, size }: Of): LossGraphs {
  const state = new Map([...network.parameters, ...network.statistics]);
  const graphs = new Map<string, Compiled>();
  const options: TrainOptions = { ...train, attackBatchNorm: 'inference' };

  function run(
    name: string,
    batch: BatchArrays,
    { step, outputs }: { step: Step; outputs: readonly string[] },
  ): Record<string, Float32Array> {
    const images = batch.pixels.shape[0]!;
    const inputs = filledUp(batch, images, size);
    let graph = graphs.get(name);
    if (!graph) {
      graph = compile({ run: { step, inputs, outputs } }, { state, key: keyOf(name, network, { method, options }) });
      graphs.set(name, graph);
    }
    const found = graph.run('run', inputs);
    return Object.fromEntries(Object.entries(found).map(([output, values]) => [output, values.slice(0, (values.length / size) * images)]));
  }

  return {
    clean(batch) {
      const step: Step = (tensors) => {
        const { x, ...targets } = toBatch(tensors, options);
        const output = network.forward(x, 'inference');
        return { logits: output.logits, losses: objective(output, { ...targets, x }) };
      };
      const { logits, losses } = run('clean', batch, { step, outputs: ['logits', 'losses'] });
      return { logits: logits!, losses: losses! };
    },
    attacked(batch) {
      const step: Step = (tensors) => {
        const own = toBatch(tensors, options);
        const moved = stepInputs(network, own, { objective, options });
        return { losses: lossesOf(network, own, { objective, mode: 'inference' })(moved) };
      };
      return run('attacked', batch, { step, outputs: ['losses'] })['losses']!;
    },
    refresh() {
      for (const graph of graphs.values()) graph.push();
    },
    dispose() {
      for (const graph of graphs.values()) graph.dispose();
    },
  };
}

/** With zeros behind the arrays' own images. */
function filledUp(batch: BatchArrays, images: number, size: number): HostArrays {
  if (images === size) return batch;
  const entries = Object.entries(batch).map(([name, { shape, data }]): [string, HostArray] => {
    if (shape[0] !== images) return [name, { shape, data }];
    const length = (data.length / images) * size;
    const filled = data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
    filled.set(data);
    return [name, { shape: [size, ...shape.slice(1)], data: filled }];
  });
  return Object.fromEntries(entries);
}
