import { CxrError, FINDINGS, type Finding, type PreparedData } from '@cxr-lens/data';
import { cam } from '@cxr-lens/eval';
import { readOut } from './engine/read-out.ts';
import { imageBatch } from './images.ts';
import type { Network } from './networks/network.ts';
import { forBatches, type PredictOptions } from './predict.ts';

/** The raw CAM of one finding on one image, at the size of the last feature map: [height, width], signed. */
export interface CamMap {
  finding: Finding;
  map: Float32Array;
  height: number;
  width: number;
}

/** The head's weights as one array a finding, in the findings' order: each [C]. */
export function headColumns(network: Network): Float32Array[] {
  return readOut(() => {
    const { evidence } = network;
    if (evidence.kind !== 'cam') throw new CxrError('INTERNAL', `${network.name} has no class activation maps.`);
    const columns = evidence.headWeights().transpose(); // [14, C]
    const values = columns.dataSync<'float32'>();
    const channels = columns.shape[1]!;
    return FINDINGS.map((_, index) => Float32Array.from(values.subarray(index * channels, (index + 1) * channels)));
  });
}

/** Raw CAMs of one image's features, [h * w * C] row-major. */
export function camMaps(features: Float32Array, network: Network, heads: readonly Float32Array[], findings: readonly Finding[]): CamMap[] {
  const [height, width, channels] = network.featureShape;
  return findings.map((finding) => ({
    finding,
    map: cam({ features, height, width, channels }, heads[FINDINGS.indexOf(finding)]!),
    height,
    width,
  }));
}

/** Calls `use` with the CAMs of the findings that each row asks for. CxrError CANCELLED. */
export async function forCamMaps(
  network: Network,
  data: PreparedData,
  asked: readonly { row: number; findings: readonly Finding[] }[],
  { use, ...options }: PredictOptions & { use: (row: number, maps: CamMap[]) => Promise<void> },
): Promise<void> {
  const heads = headColumns(network);
  const [height, width, channels] = network.featureShape;
  const length = height * width * channels;
  await forBatches(asked, options, async (part) => {
    const features = readOut(() => {
      const x = imageBatch(
        data,
        part.map(({ row }) => row),
      );
      return network.forward(x, 'inference').features.dataSync<'float32'>();
    });
    for (const [slot, { row, findings }] of part.entries()) {
      await use(row, camMaps(features.subarray(slot * length, (slot + 1) * length), network, heads, findings));
    }
  });
}
