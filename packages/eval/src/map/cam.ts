import { CxrError } from '@cxr-lens/data';

/** Last feature map of one image, un-pooled, after the last ReLU. */
export interface FeatureMaps {
  /** [height, width, channels] */
  features: Float32Array;
  height: number;
  width: number;
  channels: number;
}

/**
 * Class activation map of one finding: CAM_c = sum_k w_k^c F_k, no bias (Zhou et al. 2016), signed, in units of the logit.
 * With average pooling its mean plus the bias is the logit; with LSE pooling it is no exact decomposition.
 * @param weights [channels], the head's column of the finding
 * @returns [height, width]
 */
export function cam({ features, height, width, channels }: FeatureMaps, weights: Float32Array): Float32Array {
  if (features.length !== height * width * channels || weights.length !== channels) {
    throw new CxrError(
      'BAD_INPUT',
      `CAM of ${features.length} features and ${weights.length} weights: expected ${height} x ${width} x ${channels} and ${channels}`,
    );
  }
  const map = new Float32Array(height * width);
  for (let cell = 0; cell < map.length; cell++) {
    let total = 0;
    for (let k = 0; k < channels; k++) total += features[cell * channels + k]! * weights[k]!;
    map[cell] = total;
  }
  return map;
}

/**
 * Min-max scaling of one map to [0, 255], the unit of every CAM threshold. Its own function because thresholds depend on it.
 * @returns null for a constant map, which has no region
 * @throws CxrError BAD_INPUT for a map with NaN or infinite values
 */
export function scaleTo255(map: Float32Array): Float32Array | null {
  checkFinite(map);
  return scaleInto(map, new Float32Array(map.length));
}

/** As `scaleTo255` for finite values, into `out`, which may be the map itself. */
export function scaleInto(map: Float32Array, out: Float32Array): Float32Array | null {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < map.length; i++) {
    const value = map[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (!(max > min)) return null;
  const width = max - min;
  // divided first: the maximum is exactly 255, and stays in the region of threshold 255
  for (let i = 0; i < map.length; i++) out[i] = ((map[i]! - min) / width) * 255;
  return out;
}

/** @throws CxrError BAD_INPUT for NaN and infinite values */
export function checkFinite(map: Float32Array): void {
  for (let i = 0; i < map.length; i++) {
    if (!Number.isFinite(map[i])) throw new CxrError('BAD_INPUT', `map value ${i} is ${map[i]}: expected finite numbers`);
  }
}
