import { type Box, FINDINGS, type Finding, NIH_SIZE } from '@cxr-lens/data';
import { tf } from '../engine/tensorflow.ts';
import { imageLogits, logAbsent, logPresent, type Products } from '../networks/products.ts';

interface PatchLossOptions {
  /** [B, P, P, 14], 1 where a patch overlaps the box of that image and finding; null where no image has one. */
  boxes: tf.Tensor4D | null;
  /** lambda_box. */
  boxWeight: number;
  products: Products;
}

/**
 * The loss of Li et al. (2018, section 3.2), from the patches' logits: - log p(y_k | x, box) for a finding with a box, weighted by
 * lambda_box; for the others the cross entropy of p(y_k | x).
 * @param patches logits [B, P, P, 14]
 * @param y [B, 14], 0 or 1
 * @returns [B], each image's own sum over the findings
 */
export function patchLosses(patches: tf.Tensor4D, y: tf.Tensor2D, { boxes, boxWeight, products }: PatchLossOptions): tf.Tensor1D {
  return tf.tidy(() => {
    const logits = imageLogits(patches, products);
    const present = tf.mul(y, tf.softplus(tf.neg(logits)));
    const unboxed = tf.add(present, tf.mul(tf.sub(1, y), tf.softplus(logits))); // [B, 14]
    if (!boxes) return tf.sum(unboxed, 1);
    const inside = tf.mul(boxes, logPresent(patches, products));
    const outside = tf.mul(tf.sub(1, boxes), logAbsent(patches, products));
    const boxed = tf.mul(tf.sum(tf.add(inside, outside), [1, 2]), -boxWeight); // [B, 14]
    const hasBox = tf.max(boxes, [1, 2]);
    return tf.sum(tf.add(tf.mul(hasBox, boxed), tf.mul(tf.sub(1, hasBox), unboxed)), 1);
  });
}

/**
 * The patches of one image's boxes: 1 for every patch whose cell overlaps the box of that finding.
 * @param boxes in pixels of the published 1024 x 1024 file
 * @returns [P, P, 14], rows first
 */
export function boxPatches(boxes: readonly { finding: Finding; box: Box }[], grid: number): Uint8Array {
  const patches = new Uint8Array(grid * grid * FINDINGS.length);
  for (const { finding, box } of boxes) {
    const place = FINDINGS.indexOf(finding);
    const [top, bottom] = cells(box.y, box.height, grid);
    const [left, right] = cells(box.x, box.width, grid);
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) patches[(row * grid + column) * FINDINGS.length + place] = 1;
    }
  }
  return patches;
}

/** First cell that overlaps [start, start + length), and the one after the last. */
function cells(start: number, length: number, grid: number): [number, number] {
  const first = Math.floor((start * grid) / NIH_SIZE);
  const end = Math.ceil(((start + length) * grid) / NIH_SIZE);
  return [Math.max(first, 0), Math.min(end, grid)];
}
