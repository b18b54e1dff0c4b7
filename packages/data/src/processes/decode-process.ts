import { getObject } from '../objects.ts';
import { decodeImage } from '../pixels/decode.ts';
import type { DecodedImage } from '../pixels/image.ts';
import { squash } from '../pixels/raster.ts';
import { answerTasks } from './answer.ts';
import type { DecodeTask, SquashedImage } from './decode-apart.ts';

answerTasks(async ({ encoded, where, size, options }: DecodeTask): Promise<DecodedImage | SquashedImage> => {
  const bytes = 'bytes' in encoded ? encoded.bytes : await getObject(encoded.object);
  const image = await decodeImage(bytes, where, options);
  if (size === null) return image;
  const { pixels } = await squash(image, size);
  const { width, height, sixteen } = image;
  return { width, height, pixels, ...(sixteen ? { sixteen } : {}) };
});
