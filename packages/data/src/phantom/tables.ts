import type { Box } from '../box.ts';
import { BOXED_FINDINGS, type BoxedFinding } from '../findings.ts';
import type { PhantomImage } from './plan.ts';
import type { ImageTruth } from './pool.ts';

/** Data_Entry_2017_v2020.csv. Sizes and spacing are those of a 35 x 43 cm film at 0.171 mm, before the squash to a square. */
export function entryTable(images: readonly PhantomImage[], truths: readonly ImageTruth[]): string {
  const header =
    'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]';
  const lines = images.map((image, i) => {
    const [width, height] = truths[i]!.film.width > truths[i]!.film.height ? [2500, 2048] : [2048, 2500];
    const labels = image.labels.toSorted().join('|') || 'No Finding'; // NIH's are in order of the alphabet
    return [image.name, labels, image.followUp, image.patientId, image.age, image.sex, image.view, width, height, 0.171, 0.171].join(',');
  });
  return `${[header, ...lines].join('\n')}\n`;
}

/** BBox_List_2017.csv: test images only, findings that are both there and labelled, by finding as NIH's list is. */
export function boxTable(
  images: readonly PhantomImage[],
  truths: readonly ImageTruth[],
): { text: string; pairs: Map<BoxedFinding, number> } {
  const lines = ['Image Index,Finding Label,Bbox x,Bbox y,Bbox w,Bbox h'];
  const pairs = new Map<BoxedFinding, number>();
  for (const finding of BOXED_FINDINGS) {
    for (const [i, image] of images.entries()) {
      const box: Box | null | undefined = truths[i]!.boxes[finding];
      if (!image.test || !box || !image.labels.includes(finding)) continue;
      lines.push([image.name, finding === 'Infiltration' ? 'Infiltrate' : finding, box.x, box.y, box.width, box.height].join(','));
      pairs.set(finding, (pairs.get(finding) ?? 0) + 1);
    }
  }
  return { text: `${lines.join('\n')}\n`, pairs };
}
