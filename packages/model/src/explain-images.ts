import { setImmediate } from 'node:timers/promises';
import {
  type Box,
  type DecodedImage,
  decodeApart,
  type Encoded,
  FINDINGS,
  type Finding,
  type OnProgress,
  preprocessingOf,
  squash,
  squashApart,
  throwIfCancelled,
} from '@cxr-lens/data';
import { probability } from '@cxr-lens/eval';
import { relieveMemory } from './engine/memory.ts';
import { inferenceOf } from './inference.ts';
import type { LoadedRun } from './load-run.ts';
import { located } from './locate.ts';
import { type EvidenceMap, evidenceMaps } from './maps.ts';
import { INFERENCE_BATCH } from './predict.ts';
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

/** How a 16-bit file was read: `value * 255 / (2 ** bits - 1)`. */
export interface BitsRead {
  bits: number;
  /** The card's number, the file's sBIT chunk, or the smallest of 8, 10, 12, 14 and 16 that holds the file's greatest value. */
  source: 'card' | 'sbit' | 'guess';
  /** The file's greatest value. */
  greatest: number;
  /** The card's number, which is used where it holds the greatest value; null: it has none. */
  card: number | null;
}

export interface ImageExplanation<Image = DecodedImage> {
  where: string;
  /** The given image at its own size. */
  image: Image;
  /** Null unless the image is a 16-bit PNG. */
  bits: BitsRead | null;
  /** The newer one of the card's and what reading this image took. */
  preprocessingVersion: string;
  findings: Partial<Record<Finding, FindingExplanation>>;
}

/** A PNG, JPEG or DICOM file; `where` names it in errors. */
type NamedImage = Encoded & { where: string };

/** An encoded image and what is asked of it. */
export type ImageRequest = NamedImage & { findings: readonly Finding[] };

export interface ExplainRequest {
  images: readonly NamedImage[];
  /** Default: all 14. */
  findings?: readonly Finding[] | undefined;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Logit, probability, decision, CAM, its box and saliency of each finding on each image, by the same pixels, network and card as training
 * and evaluation. CxrError BAD_INPUT and UNSUPPORTED for the first bytes that are no image, CANCELLED.
 */
export async function explainImages(loaded: LoadedRun, request: ExplainRequest): Promise<ImageExplanation[]> {
  const { findings = FINDINGS, onProgress, signal } = request;
  const images = request.images.map((image) => ({ ...image, findings }));
  const explained: ImageExplanation[] = [];
  for await (const outcome of explainInPasses(loaded, images, { read: readWhole, signal })) {
    if (outcome.status === 'rejected') throw outcome.reason;
    explained.push(outcome.value);
    onProgress?.({ what: nameOf(loaded), done: explained.length, total: images.length });
  }
  return explained;
}

/**
 * The same of one image after another, in their order: each comes as soon as its saliency is there, and one that cannot be read costs the
 * others nothing. Images share the passes that give logits and maps. Throws what would befall the others too: CxrError CANCELLED.
 */
export function explainEach(
  loaded: LoadedRun,
  images: readonly ImageRequest[],
  signal?: AbortSignal,
): AsyncGenerator<PromiseSettledResult<ImageExplanation<Size>>, void> {
  return explainInPasses(loaded, images, { read: readSquashed, signal });
}

type Size = Pick<DecodedImage, 'width' | 'height' | 'sixteen'>;

interface Reading<Image extends Size> {
  read: (request: ImageRequest, size: number, card: Card) => Promise<Legible<Image>>;
  signal: AbortSignal | undefined;
}

type Outcomes<Image> = AsyncGenerator<PromiseSettledResult<ImageExplanation<Image>>, void>;

async function* explainInPasses<Image extends Size>(
  loaded: LoadedRun,
  images: readonly ImageRequest[],
  reading: Reading<Image>,
): Outcomes<Image> {
  // A walk takes about as long as a batch of the others.
  const most = loaded.network.evidence.kind === 'walk' ? 1 : INFERENCE_BATCH;
  for (let start = 0; start < images.length; start += most) {
    throwIfCancelled(reading.signal, nameOf(loaded));
    yield* explainTogether(loaded, images.slice(start, start + most), reading);
  }
}

const nameOf = ({ run }: LoadedRun): string => `${METHODS[run.method].label}, explanations`;

// Images of a film strip: enough to see where something fades.
const FRAMES = 8;

async function* explainTogether<Image extends Size>(
  loaded: LoadedRun,
  images: readonly ImageRequest[],
  { read, signal }: Reading<Image>,
): Outcomes<Image> {
  const { inputSize } = loaded.network;
  const { card } = loaded;
  const decoded = await Promise.allSettled(images.map((image) => read(image, inputSize, card)));
  const legible = decoded.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const pixels = new Uint8Array(legible.length * inputSize ** 2);
  for (const [slot, one] of legible.entries()) pixels.set(one.pixels, slot * inputSize ** 2);
  const { logits, maps } = evidenceMaps(loaded, pixels, { findings: legible.map(({ findings }) => findings), frames: FRAMES });
  let slot = 0;
  for (const outcome of decoded) {
    throwIfCancelled(signal, nameOf(loaded));
    if (outcome.status === 'rejected') yield outcome;
    else {
      const own = logits.subarray(slot * FINDINGS.length, (slot + 1) * FINDINGS.length);
      const findings = explainPixels(loaded, { ...outcome.value, logits: own, maps: maps[slot]! });
      slot += 1;
      relieveMemory();
      const { where, image } = outcome.value;
      yield { status: 'fulfilled', value: { where, image, ...readingOf(image, card), findings } };
      await setImmediate();
    }
  }
}

interface Legible<Image extends Size> extends Pick<ImageRequest, 'where' | 'findings'> {
  image: Image;
  /** [S, S], 0 to 255 */
  pixels: Uint8Array;
}

async function readWhole({ where, findings, ...encoded }: ImageRequest, size: number, { bits }: Card): Promise<Legible<DecodedImage>> {
  const image = await decodeApart(encoded, where, { bits });
  const { pixels } = await squash(image, size);
  return { where, findings, image, pixels };
}

/** Without the image's own pixels, of which a pass of the largest ones would fill the memory. */
async function readSquashed({ where, findings, ...encoded }: ImageRequest, size: number, { bits }: Card): Promise<Legible<Size>> {
  const { pixels, ...image } = await squashApart(encoded, size, where, { bits });
  return { where, findings, image, pixels };
}

function readingOf({ sixteen }: Size, card: Card): Pick<ImageExplanation, 'bits' | 'preprocessingVersion'> {
  if (!sixteen) return { bits: null, preprocessingVersion: card.preprocessingVersion };
  const { bits, source, greatest } = sixteen;
  const needed = preprocessingOf(bits);
  return {
    bits: { bits, source: source === 'given' ? 'card' : source, greatest, card: card.bits },
    preprocessingVersion: needed > card.preprocessingVersion ? needed : card.preprocessingVersion,
  };
}

function explainPixels(
  loaded: LoadedRun,
  { image, pixels, findings, logits, maps }: Legible<Size> & { logits: Float32Array; maps: readonly EvidenceMap[] },
): Partial<Record<Finding, FindingExplanation>> {
  const { network, card } = loaded;
  const size = network.inputSize;
  const indices = findings.map((finding) => FINDINGS.indexOf(finding));
  const gradients = inferenceOf(network).saliency(pixels, indices);
  const entries = maps.map(({ finding, map, height, width, strip }, slot) => {
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
