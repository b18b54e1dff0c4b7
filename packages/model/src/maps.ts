import { FINDINGS, type Finding, type PreparedData } from '@cxr-lens/data';
import { readOut } from './engine/read-out.ts';
import { tf } from './engine/tensorflow.ts';
import { pixelArray, toImages } from './images.ts';
import { inferenceOf, type Maps } from './inference.ts';
import type { LoadedRun } from './load-run.ts';
import type { Network } from './networks/network.ts';
import { forBatches, type PredictOptions } from './predict.ts';
import type { Card } from './spec/index.ts';
import { walk } from './walk.ts';

/**
 * What shows where a network saw one finding on one image, [height, width] as it is: the raw CAM, signed, at the size of the last feature
 * map; the patches' scores in [0, 1]; or what changes in the decoded image, at the size of the input.
 */
export interface EvidenceMap {
  finding: Finding;
  map: Float32Array;
  height: number;
  width: number;
  /** Generative: images of the walk, the start first, [height * width] each, grey in [0, 1]. */
  strip?: Float32Array[];
}

interface Asked {
  /** Of each image of the batch. */
  findings: readonly (readonly Finding[])[];
  /** Most images of a strip. */
  frames: number;
}

type Explaining = Pick<LoadedRun, 'network' | 'card'>;

/**
 * Logits of a batch's images, [B * 14], and their maps, in one pass of the network but for walks.
 * @param pixels [B, S, S], 0 to 255
 */
export function evidenceMaps(
  { network, card }: Explaining,
  pixels: Uint8Array,
  { findings, frames }: Asked,
): { logits: Float32Array; maps: EvidenceMap[][] } {
  const { logits, maps } = inferenceOf(network).evidence(pixels);
  if (maps) return { logits, maps: findings.map((own, slot) => own.map((finding) => mapOf(maps, slot, finding))) };
  const area = network.inputSize ** 2;
  const walks = findings.map((own, slot) =>
    readOut(() => {
      const bytes = Int32Array.from(pixels.subarray(slot * area, (slot + 1) * area));
      const x = toImages(tf.tensor4d(bytes, [1, network.inputSize, network.inputSize, 1], 'int32'));
      return walkMaps(network, card, { x, findings: own, frames });
    }),
  );
  return { logits, maps: walks };
}

function mapOf({ values, height, width }: Maps, slot: number, finding: Finding): EvidenceMap {
  const area = height * width;
  const start = (slot * FINDINGS.length + FINDINGS.indexOf(finding)) * area;
  return { finding, map: values.slice(start, start + area), height, width };
}

// At a quarter of a standard deviation each, far enough to leave the prior's codes on every side.
const MOST_STEPS = 100;

/** To below each finding's operating point; to even odds where the card has none. */
function walkMaps(
  network: Network,
  { calibration }: Card,
  { x, findings, frames }: { x: tf.Tensor4D; findings: readonly Finding[]; frames: number },
): EvidenceMap[] {
  return findings.map((finding) => {
    const belowLogit = calibration[finding].operatingPoint?.logit ?? 0;
    const { map, strip } = walk(network, x, FINDINGS.indexOf(finding), { belowLogit, steps: MOST_STEPS, frames });
    return { finding, map, height: network.inputSize, width: network.inputSize, strip };
  });
}

/** Calls `use` with the maps of the findings that each row asks for. CxrError CANCELLED. */
export async function forMaps(
  loaded: Explaining,
  data: PreparedData,
  asked: readonly { row: number; findings: readonly Finding[] }[],
  { use, ...options }: PredictOptions & { use: (row: number, maps: EvidenceMap[]) => Promise<void> },
): Promise<void> {
  const { network } = loaded;
  // A walk takes about as long as a batch of the others.
  const size = network.evidence.kind === 'walk' ? { size: 1 } : {};
  await forBatches(asked, { ...options, ...size }, async (part) => {
    const rows = part.map(({ row }) => row);
    const findings = part.map((one) => one.findings);
    const { maps } = evidenceMaps(loaded, pixelArray(data, rows).data, { findings, frames: 2 });
    for (const [slot, row] of rows.entries()) await use(row, maps[slot]!);
  });
}
