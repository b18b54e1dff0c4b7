import { engineInfo, tf } from './tensorflow.ts';

interface Shape {
  stride: number;
  padding: 'same' | 'valid';
}

/**
 * Convolution without bias: [B, H, W, C] by [k, k, C, K]. On CPUs without AVX-512 two of its gradients are computed otherwise than by
 * TensorFlow's own operations, the same sums in another order: in one to three times less time (docs/performance.md).
 */
export function convolution(x: tf.Tensor4D, kernel: tf.Tensor4D, shape: Shape): tf.Tensor4D {
  wide ??= engineInfo().device === 'GPU' || engineInfo().avx512;
  return (wide ? plain : convolutionOfSlowGradients)(x, kernel, shape);
}

let wide: boolean | undefined;

function plain(x: tf.Tensor4D, kernel: tf.Tensor4D, { stride, padding }: Shape): tf.Tensor4D {
  return tf.conv2d(x, kernel, stride, padding);
}

/** As `convolution` on CPUs without AVX-512. */
export function convolutionOfSlowGradients(x: tf.Tensor4D, kernel: tf.Tensor4D, shape: Shape): tf.Tensor4D {
  const [size, , from, to] = kernel.shape;
  const narrow = size === 3 && from >= 4 * to && to >= 32; // a dense layer's 3 x 3
  const narrowing = size === 1 && from > to;
  if (shape.stride !== 1 || shape.padding !== 'same' || !(narrow || narrowing)) return plain(x, kernel, shape);
  return tf.customGrad((...args) => {
    const [input, weights, save] = args as [tf.Tensor4D, tf.Tensor4D, tf.GradSaveFunc];
    save([input, weights]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [of, by, slope] = [saved[0], saved[1], dy] as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      return [
        tf.tidy(() => inputGradient(slope, by)),
        tf.tidy(() => (narrow ? narrowKernelGradient(of, slope) : kernelGradient(of, slope, by.shape))),
      ];
    };
    return { value: plain(input, weights, shape), gradFunc: gradFunc as (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[] };
  })(x, kernel) as tf.Tensor4D;
}

/** At stride 1, the convolution of dy with the kernel turned by 180 degrees, its channels exchanged. */
function inputGradient(dy: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const turned = kernel.shape[0] === 1 ? kernel : tf.reverse(kernel, [0, 1]);
  return tf.conv2d(dy, tf.transpose(turned, [0, 1, 3, 2]), 1, 'same');
}

function kernelGradient(x: tf.Tensor4D, dy: tf.Tensor4D, filterShape: number[]): tf.Tensor {
  const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', dimRoundingMode: undefined, filterShape };
  return tf.engine().runKernel(tf.Conv2DBackpropFilter, { x, dy }, attributes as unknown as tf.NamedAttrMap) as tf.Tensor;
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
