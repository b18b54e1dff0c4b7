import type { HostArray } from './host-array.ts';
import { tf } from './tensorflow.ts';

interface OutputInfo {
  id: number;
  shape: number[];
  dtype: number;
}

/** What TF.js's own `loadSavedModel` calls; its public face takes no bytes and no state. */
interface SessionBackend {
  binding: {
    TF_FLOAT: number;
    TF_UINT8: number;
    createTensor(shape: readonly number[], dtype: number, values: Float32Array | Uint8Array): number;
    deleteTensor(id: number): void;
    loadSavedModel(folder: string, tags: string): number;
    deleteSavedModel(id: number): void;
    runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): OutputInfo[];
    tensorDataSync(id: number): Float32Array | Int32Array;
  };
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(info: OutputInfo): tf.Tensor;
}

/** TensorFlow's session of one saved model: its variables live in it until it is closed. */
export interface Session {
  /** Feeds arrays to placeholders and gives the values of the fetched nodes, in order. */
  run(feeds: Iterable<readonly [node: string, array: HostArray]>, fetches: readonly string[]): Float32Array[];
  /** The same between tensors: nothing is copied on the CPU. */
  exchange(feeds: Iterable<readonly [node: string, tensor: tf.Tensor]>, fetches: readonly string[]): tf.Tensor[];
  close(): void;
}

/** @param folder of a `saved_model.pb` tagged `serve` */
export function openSession(folder: string): Session {
  const backend = tf.backend() as unknown as SessionBackend;
  const { binding } = backend;
  const session = binding.loadSavedModel(folder, 'serve');
  const execute = (ids: number[], names: readonly string[], fetches: readonly string[]): OutputInfo[] =>
    binding.runSavedModel(session, ids, names.join(','), fetches.join(','));

  return {
    run(feeds, fetches) {
      const given = [...feeds];
      const ids = given.map(([, { shape, data }]) =>
        binding.createTensor(shape, data instanceof Uint8Array ? binding.TF_UINT8 : binding.TF_FLOAT, data),
      );
      try {
        const outputs = execute(
          ids,
          given.map(([node]) => node),
          fetches,
        );
        return outputs.map(({ id }) => {
          // A copy: what the binding gives is TensorFlow's own memory.
          const values = Float32Array.from(binding.tensorDataSync(id));
          binding.deleteTensor(id);
          return values;
        });
      } finally {
        for (const id of ids) binding.deleteTensor(id);
      }
    },
    exchange(feeds, fetches) {
      const given = [...feeds];
      const ids = backend.getInputTensorIds(given.map(([, tensor]) => tensor));
      const outputs = execute(
        ids,
        given.map(([node]) => node),
        fetches,
      );
      return outputs.map((info) => backend.createOutputTensor(info));
    },
    close: () => binding.deleteSavedModel(session),
  };
}
