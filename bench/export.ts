/**
 * Writes what every subject reads: weights and ONNX file of each network, images and labels.
 *
 *   npx tsx bench/export.ts FOLDER NETWORK...
 */
import { type BenchNetwork, benchModel } from '@cxr-lens/model/bench';
import { writeImages } from './images.ts';

const MOST_IMAGES = 32;

const [folder, ...networks] = process.argv.slice(2);
if (folder === undefined || networks.length === 0) throw new Error('Expected a folder and networks.');
for (const network of networks as BenchNetwork[]) {
  const model = benchModel(network, { method: 'baseline', precision: 'float32' });
  model.write(folder);
  writeImages(folder, { count: MOST_IMAGES, side: model.inputSize });
  model.dispose();
}
