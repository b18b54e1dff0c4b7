import { type Box, CxrError, type Finding, NIH_SIZE } from '@cxr-lens/data';
import { picture, rect } from './svg.ts';

/** A square picture: the bytes of a PNG, or a data URI of one. */
export type Picture = Uint8Array | string;

/** A patient's image with the pathology it is about. */
export interface FigureImage {
  /** File name or another way to find it. */
  name: string;
  finding: Finding;
  picture: Picture;
  /** Ground truth, pixels of the 1024 x 1024 file. */
  box: Box | null;
}

/** What one network makes of an image. */
interface Explanation {
  /** 'Robust' */
  label: string;
  /** Name in the methods' registry, which gives the colour. */
  method: string;
  /** The image with its CAM over it. */
  cam: Picture;
  saliency: Picture;
  /** Where the region of the CAM lies, pixels of the 1024 x 1024 file. */
  box?: Box | null;
  /** 'probability 0.62, IoU 0.41' */
  note?: string;
}

/** Fig. 1. */
export interface ExplanationFigureInput {
  synthetic: boolean;
  /** How the images were chosen, in whole sentences: a figure that does not say it may show anything. */
  rule: string;
  /** Every row with explanations of the same networks in the same order. */
  rows: readonly (FigureImage & { explanations: readonly Explanation[] })[];
}

/** Fig. 4. */
export interface EpsilonFigureInput {
  synthetic: boolean;
  /** How the images were chosen, and which runs stand for the epsilons. */
  rule: string;
  /** Every row with the same epsilons in the same order. */
  rows: readonly (FigureImage & { saliencies: readonly { epsilon: number; saliency: Picture }[] })[];
}

const PNG_URI = 'data:image/png;base64,';
const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47];

/** @throws CxrError BAD_INPUT for bytes or a URI that is no PNG: `what` says whose */
function hrefOf(source: Picture, what: string): string {
  const ok = typeof source === 'string' ? source.startsWith(PNG_URI) : PNG_SIGNATURE.every((byte, index) => source[index] === byte);
  if (!ok) throw new CxrError('BAD_INPUT', `${what} is no PNG: expected its bytes or a data URI (${PNG_URI}...)`);
  return typeof source === 'string' ? source : `${PNG_URI}${Buffer.from(source).toString('base64')}`;
}

interface Tile {
  x: number;
  y: number;
  size: number;
  what: string;
  box: Box | null;
  /** A predicted box and its colour. */
  predicted?: { box: Box; color: string } | null;
}

/** A picture with its box, solid white with a dark halo, and the predicted one dashed in the method's colour. */
export function tile(source: Picture, { x, y, size, what, box, predicted }: Tile): string[] {
  return [
    picture(x, y, { size, href: hrefOf(source, what) }),
    ...(box
      ? [outline(box, { x, y, size, color: '#000000', stroke: 3.5 }), outline(box, { x, y, size, color: '#FFFFFF', stroke: 1.5 })]
      : []),
    ...(predicted ? [outline(predicted.box, { x, y, size, color: predicted.color, stroke: 1.5, dash: '4 3' })] : []),
  ];
}

interface Outline {
  x: number;
  y: number;
  size: number;
  color: string;
  stroke: number;
  dash?: string;
}

function outline(box: Box, { x, y, size, ...line }: Outline): string {
  const scale = size / NIH_SIZE;
  return rect(x + box.x * scale, y + box.y * scale, { width: box.width * scale, height: box.height * scale, ...line });
}
