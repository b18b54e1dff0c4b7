import { getObject } from '../objects.ts';
import { decodeImage } from '../pixels/decode.ts';
import { squash } from '../pixels/raster.ts';
import { answerTasks } from './answer.ts';
import type { DecodeTask } from './decode-apart.ts';

answerTasks(async ({ encoded, where, size }: DecodeTask) => {
  const bytes = 'bytes' in encoded ? encoded.bytes : await getObject(encoded.object);
  const image = await decodeImage(bytes, where);
  if (size === null) return image;
  const { pixels } = await squash(image, size);
  return { width: image.width, height: image.height, pixels };
});
