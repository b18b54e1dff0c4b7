import { gather } from '../engine/operations.ts';
import { tf } from '../engine/tensorflow.ts';

/** A rigid motion of each image, [B] each: rotation about the centre, then translation. */
export interface Motion {
  /** Radians, clockwise as seen. */
  angle: tf.Tensor1D;
  /** Shares of the side, to the right and down. */
  dx: tf.Tensor1D;
  dy: tf.Tensor1D;
}

// Zeros around the image: both neighbours of a point outside lie in them, however far away the point is.
const MARGIN = 2;

/**
 * Moves images, bilinear between pixel centres; what comes from outside is 0 (black) [ours]. No motion gives the image bit by bit.
 * The gradient with respect to the motion is that of the bilinear surface, which has edges at the pixel centres: there it is the slope
 * towards the right and down.
 * @param x [B, S, S, 1]
 */
export function warp(x: tf.Tensor4D, { angle, dx, dy }: Motion): tf.Tensor4D {
  return tf.tidy(() => {
    const [images, side] = x.shape;
    const centre = (side - 1) / 2;
    const perImage = (values: tf.Tensor): tf.Tensor3D => tf.reshape(values, [images, 1, 1]);
    const [cos, sin] = [perImage(tf.cos(angle)), perImage(tf.sin(angle))];
    // Where each pixel comes from: the motion undone, in pixels from the centre.
    const offsets = tf.sub(tf.range(0, side), centre);
    const right = tf.sub(tf.reshape(offsets, [1, 1, side]), perImage(tf.mul(dx, side))); // [B, 1, S]
    const down = tf.sub(tf.reshape(offsets, [1, side, 1]), perImage(tf.mul(dy, side))); // [B, S, 1]
    const column = tf.add(tf.add(tf.mul(cos, right), tf.mul(sin, down)), centre); // [B, S, S]
    const row = tf.add(tf.sub(tf.mul(cos, down), tf.mul(sin, right)), centre);
    return tf.expandDims(sample(x, row, column), 3) as tf.Tensor4D;
  });
}

/**
 * Bilinear values at (row, column), in pixels: [B, S, S]. The gradient is with respect to row and column alone.
 * @param x [B, S, S, 1]
 * @param row [B, S, S]
 * @param column [B, S, S]
 */
function sample(x: tf.Tensor4D, row: tf.Tensor, column: tf.Tensor): tf.Tensor {
  return tf.customGrad((...args) => {
    const [down, right, save] = args as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const [top, left] = [tf.floor(down), tf.floor(right)];
    const [below, beside] = [tf.sub(down, top), tf.sub(right, left)];
    const [[a, b], [c, d]] = corners(x, top, left);
    const slopeRight = between(tf.sub(b, a), tf.sub(d, c), below);
    const [upper, lower] = [between(a, b, beside), between(c, d, beside)];
    save([tf.sub(lower, upper), slopeRight]);
    return {
      value: between(upper, lower, below),
      gradFunc: (dy, slopes) => (slopes as tf.Tensor[]).map((slope) => tf.mul(dy as tf.Tensor, slope)),
    };
  })(row, column);
}

/** Exactly `from` at a share of 0. */
function between(from: tf.Tensor, to: tf.Tensor, share: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(from, tf.sub(1, share)), tf.mul(to, share));
}

/** The pixels at (top, left), to its right, and below these two: [B, S, S] each. */
function corners(x: tf.Tensor4D, top: tf.Tensor, left: tf.Tensor): [[tf.Tensor, tf.Tensor], [tf.Tensor, tf.Tensor]] {
  const [images, side] = x.shape;
  const width = side + 2 * MARGIN;
  const margin: [number, number] = [MARGIN, MARGIN];
  const pixels = tf.reshape(tf.pad4d(x, [[0, 0], margin, margin, [0, 0]]), [-1]);
  const index = (values: tf.Tensor): tf.Tensor => tf.cast(tf.add(tf.clipByValue(values, -MARGIN, side), MARGIN), 'int32');
  const whole = (value: number): tf.Scalar => tf.scalar(value, 'int32');
  const image = tf.reshape(tf.range(0, images, 1, 'int32'), [images, 1, 1]);
  const corner = tf.add(tf.mul(tf.add(tf.mul(image, whole(width)), index(top)), whole(width)), index(left));
  const at = (offset: number): tf.Tensor => gather(pixels as tf.Tensor1D, tf.add(corner, whole(offset)));
  return [
    [at(0), at(1)],
    [at(width), at(width + 1)],
  ];
}
