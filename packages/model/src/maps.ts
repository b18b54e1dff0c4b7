import { FINDINGS, type Finding, type PreparedData } from '@cxr-lens/data';
import { cam } from '@cxr-lens/eval';
import { readOut } from './engine/read-out.ts';
import { tf } from './engine/tensorflow.ts';
import { imageBatch } from './images.ts';
import type { LoadedRun } from './load-run.ts';
import type { Network, Output } from './networks/network.ts';
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
 * The maps of a batch's images.
 * @param seen the images, [B, S, S, 1], and what the network gives for them in inference mode
 */
export function evidenceMaps(
  { network, card }: Explaining,
  { x, output }: { x: tf.Tensor4D; output: Output },
  { findings, frames }: Asked,
): EvidenceMap[][] {
  const { evidence } = network;
  return readOut(() => {
    switch (evidence.kind) {
      case 'cam':
        return camMaps(output, evidence.headWeights(), findings);
      case 'patches':
        return patchMaps(output.patches!, findings);
      case 'walk':
        return findings.map((own, slot) => {
          const one = tf.slice(x, [slot, 0, 0, 0], [1, -1, -1, -1]);
          return walkMaps(network, card, { x: one, findings: own, frames });
        });
    }
  });
}

function camMaps({ features }: Output, headWeights: tf.Tensor2D, asked: Asked['findings']): EvidenceMap[][] {
  const [, height, width, channels] = features.shape;
  const length = height * width * channels;
  const values = features.dataSync<'float32'>();
  const columns = headWeights.transpose().dataSync<'float32'>(); // [14, C]
  return asked.map((findings, slot) => {
    const own = { features: values.subarray(slot * length, (slot + 1) * length), height, width, channels };
    return findings.map((finding) => {
      const place = FINDINGS.indexOf(finding);
      return { finding, map: cam(own, columns.subarray(place * channels, (place + 1) * channels)), height, width };
    });
  });
}

function patchMaps(patches: tf.Tensor4D, asked: Asked['findings']): EvidenceMap[][] {
  const [, height, width] = patches.shape;
  const area = height * width;
  const scores = tf.transpose(tf.sigmoid(patches), [0, 3, 1, 2]).dataSync<'float32'>(); // [B, 14, P, P]
  return asked.map((findings, slot) =>
    findings.map((finding) => {
      const start = (slot * FINDINGS.length + FINDINGS.indexOf(finding)) * area;
      return { finding, map: scores.slice(start, start + area), height, width };
    }),
  );
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
    const maps = readOut(() => {
      const x = imageBatch(data, rows);
      return evidenceMaps(loaded, { x, output: network.forward(x, 'inference') }, { findings, frames: 2 });
    });
    for (const [slot, row] of rows.entries()) await use(row, maps[slot]!);
  });
}
