import type { Box } from '../box.ts';
import { CxrError } from '../error.ts';
import type { GreyImage, RgbImage } from '../pixels/image.ts';
import { inferno } from './colormap.ts';

export interface OverlayOptions {
  /** [height, width] of the image, in 0 ... 255 (`scaleTo255`); null draws the image alone: a constant map has no region. */
  map: ArrayLike<number> | null;
}

/** Of the colour at the map's maximum; it falls linearly to none at the map's minimum [ours]. */
const OPACITY = 0.6;

/** The image in grey with the map in inferno colours over it: where the map is low, the radiograph stays as it is. */
export function overlayCam(image: GreyImage, { map }: OverlayOptions): RgbImage {
  const { width, height, pixels } = image;
  if (map && map.length !== width * height) {
    throw new CxrError('INTERNAL', `A map of ${map.length} values does not lie over ${width} x ${height} pixels: upsample it first.`);
  }
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < pixels.length; pixel += 1) {
    const grey = pixels[pixel]!;
    const value = map ? map[pixel]! : 0;
    const share = (OPACITY * Math.min(255, Math.max(0, value))) / 255;
    const colour = inferno(value);
    for (let channel = 0; channel < 3; channel += 1) {
      rgb[pixel * 3 + channel] = Math.round(grey + share * (colour[channel]! - grey));
    }
  }
  return { width, height, pixels: rgb };
}

/** A saliency image of values in [0, 1] (`saliencyImage`, 0.5 = no influence) as 8-bit grey; no influence is 128. */
export function renderSaliency(values: ArrayLike<number>, width: number, height: number): GreyImage {
  if (values.length !== width * height) {
    throw new CxrError('INTERNAL', `${values.length} saliency values do not fill ${width} x ${height} pixels.`);
  }
  const pixels = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return { width, height, pixels };
}

const WHITE = [255, 255, 255];

/** Draws the outline of a box, white and one pixel wide (in pixels of this image, clipped to it) into the image; its outer edge is the box's edge. */
export function outlineBox(image: RgbImage, box: Box): void {
  const left = Math.round(box.x);
  const top = Math.round(box.y);
  const right = Math.max(left + 1, Math.round(box.x + box.width));
  const bottom = Math.max(top + 1, Math.round(box.y + box.height));
  for (let y = Math.max(0, top); y < Math.min(image.height, bottom); y += 1) {
    for (let x = Math.max(0, left); x < Math.min(image.width, right); x += 1) {
      const depth = Math.min(x - left, right - 1 - x, y - top, bottom - 1 - y);
      if (depth === 0) image.pixels.set(WHITE, (y * image.width + x) * 3);
    }
  }
}
