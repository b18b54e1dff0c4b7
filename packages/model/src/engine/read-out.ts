import { tf } from './tensorflow.ts';

/**
 * `tf.tidy` for plain numbers: what `read` takes out of tensors, all of which go. A tidy that returns a typed array looks at every
 * element of it for tensors; through here the array stays out of its sight.
 */
export function readOut<T>(read: () => T): T {
  const out: T[] = [];
  tf.tidy(() => {
    out.push(read());
  });
  return out[0] as T;
}
