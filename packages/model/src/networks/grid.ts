import { rawOp, tf } from '../engine/tensorflow.ts';

/**
 * Maps brought to P x P, as Li et al. (2018) do: smaller ones by bilinear resampling, larger ones by max pooling.
 * @param x [B, h, h, C]
 * @returns [B, P, P, C]
 */
export function toGrid(x: tf.Tensor4D, grid: number): tf.Tensor4D {
  const side = x.shape[1];
  if (side < grid) return bilinear(x, grid);
  return side === grid ? x : maxPooled(x, grid);
}

const HALF_PIXEL_CENTRES = { align_corners: false, half_pixel_centers: true };

/** TF.js forgets `half_pixel_centers` in its own gradient, so both directions are TensorFlow's. */
function bilinear(x: tf.Tensor4D, grid: number): tf.Tensor4D {
  return tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([input as tf.Tensor]);
    const [value] = rawOp('ResizeBilinear', [input as tf.Tensor, tf.tensor1d([grid, grid], 'int32')], { attributes: HALF_PIXEL_CENTRES });
    return {
      value: value!,
      gradFunc: (dy, saved) =>
        rawOp('ResizeBilinearGrad', [dy as tf.Tensor, (saved as tf.Tensor[])[0]!], { attributes: HALF_PIXEL_CENTRES })[0]!,
    };
  })(x) as tf.Tensor4D;
}

/** Cell i takes the rows and columns from floor(i h / P) to ceil((i + 1) h / P): where P does not divide h, neighbours may share one. */
function maxPooled(x: tf.Tensor4D, grid: number): tf.Tensor4D {
  const side = x.shape[1];
  if (side % grid === 0) return tf.maxPool(x, side / grid, side / grid, 'valid');
  const windows = Array.from({ length: grid }, (_, index) => {
    const start = Math.floor((index * side) / grid);
    return { start, length: Math.ceil(((index + 1) * side) / grid) - start };
  });
  const rows = windows.map(({ start, length }) => tf.maxPool(tf.slice(x, [0, start, 0, 0], [-1, length, -1, -1]), [length, 1], 1, 'valid'));
  const pooled = tf.concat(rows, 1);
  const columns = windows.map(({ start, length }) =>
    tf.maxPool(tf.slice(pooled, [0, 0, start, 0], [-1, -1, length, -1]), [1, length], 1, 'valid'),
  );
  return tf.concat(columns, 2);
}
