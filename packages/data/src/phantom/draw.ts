import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isBoxedFinding } from '../findings.ts';
import { encodeGreyPng } from '../render/png.ts';
import type { PhantomImage } from './plan.ts';
import type { DrawOptions, ImageTruth } from './pool.ts';
import { maskBox, renderImage } from './render.ts';

/** Draws one image and writes its masks, its truth and, last, its pixels. */
export async function drawToFolder(plan: PhantomImage, options: DrawOptions): Promise<void> {
  const { folder, size } = options;
  const stem = plan.name.replace(/\.png$/, '');
  const { pixels, masks, shortcuts, cardiothoracicRatio, film } = renderImage(plan, options);
  const truth: ImageTruth = { boxes: {}, cardiothoracicRatio: Math.round(cardiothoracicRatio * 1000) / 1000, film };
  const writePng = async (file: string, data: Uint8Array): Promise<void> =>
    writeFile(path.join(folder, file), await encodeGreyPng({ width: size, height: size, pixels: data }));
  for (const [finding, mask] of masks) {
    const box = maskBox(mask, size);
    if (box && isBoxedFinding(finding)) truth.boxes[finding] = box;
    await writePng(`truth/masks/${stem}.${finding}.png`, mask);
  }
  if (shortcuts) await writePng(`truth/masks/${stem}.shortcuts.png`, shortcuts);
  await writeFile(path.join(folder, 'truth/images', `${stem}.json`), `${JSON.stringify(truth)}\n`);
  await writePng(`images/${plan.name}.part`, pixels);
  await rename(path.join(folder, `images/${plan.name}.part`), path.join(folder, 'images', plan.name));
}
