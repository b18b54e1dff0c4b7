import type { Box } from '../box.ts';
import { CxrError } from '../error.ts';
import type { GreyImage, RgbImage } from '../pixels/image.ts';

export interface OverlayOptions {
  /** [height, width] of the image, in 0 ... 255 (`scaleTo255`); null draws the image alone: a constant map has no region. */
  map: ArrayLike<number> | null;
  /** Of the colour at the map's maximum, in [0, 1]; it falls to none at the map's minimum. */
  opacity?: number;
}

/** The image in grey with the map in inferno colours over it. */
export function overlayCam(_image: GreyImage, _options: OverlayOptions): RgbImage {
  throw new CxrError('INTERNAL', 'overlayCam is not there yet');
}

/** A saliency image of values in [0, 1] (0.5 = no influence) as 8-bit grey. */
export function renderSaliency(_values: ArrayLike<number>, _width: number, _height: number): GreyImage {
  throw new CxrError('INTERNAL', 'renderSaliency is not there yet');
}

/** Draws the outline of a box (in pixels of this image) into it. */
export function outlineBox(_image: RgbImage, _box: Box, _options: { colour?: [number, number, number]; thickness?: number } = {}): void {
  throw new CxrError('INTERNAL', 'outlineBox is not there yet');
}
