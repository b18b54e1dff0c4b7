import sharp from 'sharp';

/** Pixels for each unit of the drawing: sharp on a screen of twice the density, and in print. */
const SCALE = 2;
/** At this density sharp draws one pixel for each unit. */
const UNIT_DENSITY = 72;

/**
 * A drawing as PNG, two pixels for each of its units. Text takes the fonts of this machine; one without any shows a box for every letter.
 * @param svg with a width and a height, pictures inside it as data URIs
 */
export function renderSvg(svg: string): Promise<Buffer> {
  // filtered: radiographs and maps take half the bytes
  return sharp(Buffer.from(svg), { density: UNIT_DENSITY * SCALE })
    .png({ adaptiveFiltering: true })
    .toBuffer();
}
