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
  const { pixels, masks, cardiothoracicRatio, film } = renderImage(plan, options);
  const truth: ImageTruth = { boxes: {}, cardiothoracicRatio: Math.round(cardiothoracicRatio * 1000) / 1000, film };
  for (const [finding, mask] of masks) {
    const box = maskBox(mask, size);
    if (box && isBoxedFinding(finding)) truth.boxes[finding] = box;
    await writeFile(
      path.join(folder, 'truth/masks', `${stem}.${finding}.png`),
      await encodeGreyPng({ width: size, height: size, pixels: mask }),
    );
  }
  await writeFile(path.join(folder, 'truth/images', `${stem}.json`), `${JSON.stringify(truth)}\n`);
  const file = path.join(folder, 'images', plan.name);
  await writeFile(`${file}.part`, await encodeGreyPng({ width: size, height: size, pixels }));
  await rename(`${file}.part`, file);
}
