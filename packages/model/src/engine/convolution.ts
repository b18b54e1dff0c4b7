import { engineInfo, isGpu, tf } from './tensorflow.ts';

interface Shape {
  stride: number;
  padding: 'same' | 'valid';
}

/**
 * Convolution without bias: [B, H, W, C] by [k, k, C, K]. On a CPU some of its gradients are computed otherwise than by TensorFlow's own
 * operations, the same sums in another order, in less time (docs/performance.md).
 */
export function convolution(x: tf.Tensor4D, kernel: tf.Tensor4D, shape: Shape): tf.Tensor4D {
  if (isGpu()) return plain(x, kernel, shape);
  if (shape.stride === 2 && shape.padding === 'valid' && kernel.shape[2] <= 3) return convolutionOfImages(x, kernel);
  avx512 ??= engineInfo().avx512;
  return (avx512 ? plain : convolutionOfSlowGradients)(x, kernel, shape);
}

let avx512: boolean | undefined;

function plain(x: tf.Tensor4D, kernel: tf.Tensor4D, { stride, padding }: Shape): tf.Tensor4D {
  return tf.conv2d(x, kernel, stride, padding);
}

/** As `convolution` on CPUs without AVX-512. */
export function convolutionOfSlowGradients(x: tf.Tensor4D, kernel: tf.Tensor4D, shape: Shape): tf.Tensor4D {
  const [size, , from, to] = kernel.shape;
  const narrow = size === 3 && from >= 4 * to && to >= 32; // a dense layer's 3 x 3
  const narrowing = size === 1 && from > to;
  if (shape.stride !== 1 || shape.padding !== 'same' || !(narrow || narrowing)) return plain(x, kernel, shape);
  return withGradients(x, kernel, shape, {
    ofInput: (dy, _input, weights) => inputGradient(dy, weights),
    ofKernel: (dy, input, weights) => (narrow ? narrowKernelGradient(input, dy) : kernelGradient(input, dy, { ...shape, kernel: weights })),
  });
}

/** Of an image's few channels, at stride 2: the gradient of the image is a convolution too. */
export function convolutionOfImages(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const shape: Shape = { stride: 2, padding: 'valid' };
  return withGradients(x, kernel, shape, {
    ofInput: imageGradient,
    ofKernel: (dy, input, weights) => kernelGradient(input, dy, { ...shape, kernel: weights }),
  });
}

type Gradient = (dy: tf.Tensor4D, x: tf.Tensor4D, kernel: tf.Tensor4D) => tf.Tensor;

function withGradients(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  shape: Shape,
  { ofInput, ofKernel }: { ofInput: Gradient; ofKernel: Gradient },
): tf.Tensor4D {
  return tf.customGrad((...args) => {
    const [input, weights, save] = args as [tf.Tensor4D, tf.Tensor4D, tf.GradSaveFunc];
    save([input, weights]);
    const gradFunc = (dy: tf.Tensor4D, saved: tf.Tensor[]): tf.Tensor[] => {
      const [of, by] = saved as [tf.Tensor4D, tf.Tensor4D];
      return [tf.tidy(() => ofInput(dy, of, by)), tf.tidy(() => ofKernel(dy, of, by))];
    };
    return { value: plain(input, weights, shape), gradFunc: gradFunc as (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[] };
  })(x, kernel) as tf.Tensor4D;
}

/** At stride 1, the convolution of dy with the kernel turned by 180 degrees, its channels exchanged. */
function inputGradient(dy: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const turned = kernel.shape[0] === 1 ? kernel : tf.reverse(kernel, [0, 1]);
  return tf.conv2d(dy, tf.transpose(turned, [0, 1, 3, 2]), 1, 'same');
}

function kernelGradient(x: tf.Tensor4D, dy: tf.Tensor4D, { stride, padding, kernel }: Shape & { kernel: tf.Tensor4D }): tf.Tensor {
  const attributes = { strides: stride, pad: padding, dataFormat: 'NHWC', dimRoundingMode: undefined, filterShape: kernel.shape };
  return tf.engine().runKernel(tf.Conv2DBackpropFilter, { x, dy }, attributes as unknown as tf.NamedAttrMap) as tf.Tensor;
}

// Sides of a block of pixels whose gradients are computed at once: a CPU adds up 16 numbers beside each other as fast as four.
const BLOCK = 4;

/**
 * dL/dx[4m + a] = sum over t of w[a - 2t] dy[2m + t], likewise across: one convolution of dy at stride 2 for the 16 of (a, b), whose
 * results lie beside each other as channels.
 */
function imageGradient(dy: tf.Tensor4D, x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const [size, , from, to] = kernel.shape;
  const before = Math.floor((size - 1) / 2); // t begins at minus that, and ends at 1
  const reach = before + 2;
  const places = Array.from({ length: reach * BLOCK }, (_, at) => (at % BLOCK) + 2 * (before - Math.floor(at / BLOCK)) + 2);
  const margin: [number, number] = [2, 2 + (size % 2)];
  const around = tf.pad4d(kernel, [margin, margin, [0, 0], [0, 0]]);
  const taken = tf.gather(tf.gather(around, places, 0), places, 1);
  const phases = tf.transpose(tf.reshape(taken, [reach, BLOCK, reach, BLOCK, from, to]), [0, 2, 5, 1, 3, 4]);
  const by = tf.reshape(phases, [reach, reach, to, BLOCK * BLOCK * from]) as tf.Tensor4D;
  const padding = ([1, 2] as const).map((axis): [number, number] => {
    const last = 2 * (Math.ceil(x.shape[axis] / BLOCK) - 1) + reach;
    return [before, Math.max(0, last - before - dy.shape[axis])];
  });
  const beside = tf.conv2d(tf.pad4d(dy, [[0, 0], padding[0]!, padding[1]!, [0, 0]]), by, 2, 'valid');
  return fitted(tf.depthToSpace(beside, BLOCK), x.shape);
}

/** Cut, or filled up with zeros, to height and width of the shape: the last row that no stride has reached has no gradient. */
function fitted(maps: tf.Tensor4D, [images, height, width, channels]: readonly [number, number, number, number]): tf.Tensor4D {
  const [, h, w] = maps.shape;
  const cut = tf.slice(maps, [0, 0, 0, 0], [images, Math.min(h, height), Math.min(w, width), channels]);
  return tf.pad4d(cut, [
    [0, 0],
    [0, Math.max(0, height - h)],
    [0, Math.max(0, width - w)],
    [0, 0],
  ]);
}

/** dL/dw[r, c] = sum of x[i, j] dy[i - r + 1, j - c + 1]: one product of x with the nine shifts of dy side by side. */
function narrowKernelGradient(x: tf.Tensor4D, dy: tf.Tensor4D): tf.Tensor {
  const [images, height, width, to] = dy.shape;
  const from = x.shape[3];
  const positions = images * height * width;
  const one: [number, number] = [1, 1];
  const padded = tf.pad4d(dy, [[0, 0], one, one, [0, 0]]);
  const shifts = [2, 1, 0].flatMap((row) => [2, 1, 0].map((column) => tf.slice(padded, [0, row, column, 0], [images, height, width, to])));
  const beside = tf.reshape(tf.concat(shifts, 3), [positions, 9 * to]);
  const products = tf.matMul(tf.reshape(x, [positions, from]), beside, true, false); // [C, 9 K]
  return tf.transpose(tf.reshape(products, [from, 3, 3, to]), [1, 2, 0, 3]);
}
