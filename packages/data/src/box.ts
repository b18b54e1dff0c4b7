/** A rectangle in pixels: NIH's boxes are in pixels of the published 1024 x 1024 files, whatever size the image has here. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The width and height of the files NIH published; the boxes of `BBox_List_2017.csv` are in their pixels. */
export const NIH_SIZE = 1024;

/** The same region in an image of another size: each axis is scaled on its own, as the squash to a square does. */
export function scaleBox(box: Box, from: { width: number; height: number }, to: { width: number; height: number }): Box {
  const horizontal = to.width / from.width;
  const vertical = to.height / from.height;
  return { x: box.x * horizontal, y: box.y * vertical, width: box.width * horizontal, height: box.height * vertical };
}
