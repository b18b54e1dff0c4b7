import { parentPort, workerData } from 'node:worker_threads';
import { drawToFolder } from './draw.ts';
import type { PhantomImage } from './plan.ts';
import type { DrawOptions } from './pool.ts';

const options = workerData as DrawOptions;

parentPort!.on('message', async (images: PhantomImage[]) => {
  for (const image of images) await drawToFolder(image, options);
  parentPort!.postMessage(images.length);
});
