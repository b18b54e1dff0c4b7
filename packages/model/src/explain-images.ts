import { setImmediate } from 'node:timers/promises';
import {
  type Box,
  type DecodedImage,
  decodeImage,
  FINDINGS,
  type Finding,
  isBoxedFinding,
  NIH_SIZE,
  type OnProgress,
  scaleBox,
  squash,
  throwIfCancelled,
} from '@cxr-lens/data';
import { GRID_SIZE, probability, region, regionBox, scaleTo255, upsampleBilinear } from '@cxr-lens/eval';
import { type CamMap, camMaps, headColumns } from './cam-maps.ts';
import { relieveMemory } from './engine/memory.ts';
import { readOut } from './engine/read-out.ts';
import { tf } from './engine/tensorflow.ts';
import { inputGradients } from './explain.ts';
import type { LoadedRun } from './load-run.ts';
import { type Card, METHODS } from './spec/index.ts';

/** A signed map as plain numbers, row-major. */
export interface PlainMap {
  values: Float32Array;
  height: number;
  width: number;
}

/** What a run says about one finding on one image. */
export interface FindingExplanation {
  logit: number;
  /** Platt-scaled on the validation images; null with the reason. */
  probability: number | null;
  probabilityReason: string | null;
  /** In the unit of `probability`. */
  operatingPoint: number | null;
  /** Whether the logit reaches the operating point. */
  decision: boolean | null;
  /** 0..255, of the protocol in the card; null where the run was not evaluated or the finding has no boxes. */
  camThreshold: number | null;
  /** Around the largest connected part of the region, in pixels of the given image. */
  box: Box | null;
  /** At the size of the last feature map, raw. */
  cam: PlainMap;
  /** d logit / dx at the size of the input, raw. */
  saliency: PlainMap;
}

export interface ImageExplanation {
  where: string;
  /** The given image at its own size. */
  image: DecodedImage;
  findings: Partial<Record<Finding, FindingExplanation>>;
}

export interface ExplainRequest {
  /** Encoded PNG, JPEG or DICOM; `where` names each in errors. */
  images: readonly { bytes: Uint8Array; where: string }[];
  /** Default: all 14. */
  findings?: readonly Finding[] | undefined;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Logit, probability, decision, CAM, its box and saliency of each finding on each image, by the same pixels, network and card as training
 * and evaluation. CxrError BAD_INPUT and UNSUPPORTED for bytes that are no image, CANCELLED.
 */
export async function explainImages(loaded: LoadedRun, request: ExplainRequest): Promise<ImageExplanation[]> {
  const { images, findings = FINDINGS, onProgress, signal } = request;
  const what = `${METHODS[loaded.run.method].label}, explanations`;
  const heads = headColumns(loaded.network);
  const explained: ImageExplanation[] = [];
  for (const { bytes, where } of images) {
    throwIfCancelled(signal, what);
    const image = await decodeImage(bytes, where);
    const { pixels } = await squash(image, loaded.run.inputSize);
    explained.push({ where, image, findings: explainPixels(loaded, heads, { image, pixels, findings }) });
    relieveMemory();
    onProgress?.({ what, done: explained.length, total: images.length });
    await setImmediate();
  }
  return explained;
}

function explainPixels(
  { network, card }: LoadedRun,
  heads: readonly Float32Array[],
  { image, pixels, findings }: { image: DecodedImage; pixels: Uint8Array; findings: readonly Finding[] },
): Partial<Record<Finding, FindingExplanation>> {
  const size = network.inputSize;
  const x = tf.tensor4d(
    Float32Array.from(pixels, (value) => value / 255),
    [1, size, size, 1],
  );
  try {
    const [logits, features] = readOut(() => {
      const output = network.forward(x, 'inference');
      return [output.logits.dataSync<'float32'>(), output.features.dataSync<'float32'>()] as const;
    });
    const maps = camMaps(features, network, heads, findings);
    const indices = findings.map((finding) => FINDINGS.indexOf(finding));
    const gradients = inputGradients(network, x, indices);
    const entries = maps.map((map, slot) => {
      const index = indices[slot]!;
      const saliency = { values: gradients[slot]!, height: size, width: size };
      const threshold = isBoxedFinding(map.finding) ? (card.camThresholds?.values[map.finding] ?? null) : null;
      return [
        map.finding,
        {
          ...decide(logits[index]!, card.calibration[map.finding]),
          camThreshold: threshold,
          box: threshold === null ? null : camBox(map, threshold, image),
          cam: { values: map.map, height: map.height, width: map.width },
          saliency,
        },
      ] as const;
    });
    return Object.fromEntries(entries);
  } finally {
    x.dispose();
  }
}

function decide(
  logit: number,
  { platt, operatingPoint, reason }: Card['calibration'][Finding],
): Pick<FindingExplanation, 'logit' | 'probability' | 'probabilityReason' | 'operatingPoint' | 'decision'> {
  return {
    logit,
    probability: platt ? probability(logit, platt) : null,
    probabilityReason: platt ? null : reason,
    operatingPoint: operatingPoint?.probability ?? null,
    decision: operatingPoint ? logit >= operatingPoint.logit : null,
  };
}

/** The box of the largest part of a CAM's region by the protocol, in pixels of the image; null for a constant map. */
function camBox({ map, height, width }: CamMap, threshold: number, image: { width: number; height: number }): Box | null {
  const scaled = scaleTo255(upsampleBilinear(map, height, width, GRID_SIZE, GRID_SIZE));
  const box = scaled && regionBox(region(scaled, threshold));
  return box && scaleBox(box, { width: NIH_SIZE, height: NIH_SIZE }, image);
}
