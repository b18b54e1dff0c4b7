import { decodeImage } from '../pixels/decode.ts';
import { squash } from '../pixels/raster.ts';
import { answerTasks } from './answer.ts';
import type { DecodeTask } from './decode-apart.ts';

answerTasks(async ({ bytes, where, size }: DecodeTask) => {
  const image = await decodeImage(bytes, where);
  if (size === null) return image;
  const { pixels } = await squash(image, size);
  return { width: image.width, height: image.height, pixels };
});
