import { setImmediate } from 'node:timers/promises';
import {
  type Box,
  type DecodedImage,
  decodeImage,
  FINDINGS,
  type Finding,
  type OnProgress,
  squash,
  throwIfCancelled,
} from '@cxr-lens/data';
import { probability } from '@cxr-lens/eval';
import { relieveMemory } from './engine/memory.ts';
import { inferenceOf } from './inference.ts';
import type { LoadedRun } from './load-run.ts';
import { located } from './locate.ts';
import { evidenceMaps } from './maps.ts';
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
  /**
   * On the map's own scale of 0 to 255. Of the protocol in the card, null where the run was not evaluated or the finding has no boxes; of
   * patch scores the place of their 0.5: 0 where all are above it, 256 where none is.
   */
  camThreshold: number | null;
  /** Around the largest connected part of the region, in pixels of the given image. */
  box: Box | null;
  /** What shows where: the raw CAM or the patches' scores at the size of the last feature map, or the change of the decoded image. */
  cam: PlainMap;
  /** d logit / dx at the size of the input, raw. */
  saliency: PlainMap;
  /** Generative: a few images of the walk whose ends make the map, grey in [0, 1]. */
  strip?: PlainMap[];
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
  const explained: ImageExplanation[] = [];
  for (const { bytes, where } of images) {
    throwIfCancelled(signal, what);
    const image = await decodeImage(bytes, where);
    const { pixels } = await squash(image, loaded.run.inputSize);
    explained.push({ where, image, findings: explainPixels(loaded, { image, pixels, findings }) });
    relieveMemory();
    onProgress?.({ what, done: explained.length, total: images.length });
    await setImmediate();
  }
  return explained;
}

// Images of a film strip: enough to see where something fades.
const FRAMES = 8;

function explainPixels(
  loaded: LoadedRun,
  { image, pixels, findings }: { image: DecodedImage; pixels: Uint8Array; findings: readonly Finding[] },
): Partial<Record<Finding, FindingExplanation>> {
  const { network, card } = loaded;
  const size = network.inputSize;
  const { logits, maps } = evidenceMaps(loaded, pixels, { findings: [findings], frames: FRAMES });
  const indices = findings.map((finding) => FINDINGS.indexOf(finding));
  const gradients = inferenceOf(network).saliency(pixels, indices);
  const entries = maps[0]!.map(({ finding, map, height, width, strip }, slot) => {
    const index = indices[slot]!;
    return [
      finding,
      {
        ...decide(logits[index]!, card.calibration[finding]),
        ...located({ finding, map, height, width }, { network, card, image }),
        cam: { values: map, height, width },
        saliency: { values: gradients[slot]!, height: size, width: size },
        ...(strip ? { strip: strip.map((values) => ({ values, height, width })) } : {}),
      },
    ] as const;
  });
  return Object.fromEntries(entries);
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
