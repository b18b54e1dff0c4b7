import path from 'node:path';
import {
  type BoxedFinding,
  encodeGreyPng,
  encodeRgbPng,
  findingLabel,
  type GreyImage,
  NIH_SIZE,
  type OnProgress,
  openPrepared,
  overlayCam,
  type PreparedData,
  renderSaliency,
  scaleBox,
} from '@cxr-lens/data';
import {
  type EpsilonFigureInput,
  type ExplanationFigureInput,
  type LocalizationResult,
  type NamedPair,
  pairIou,
  saliencyImage,
  scaleTo255,
  typicalPairs,
  upsampleBilinear,
} from '@cxr-lens/eval';
import type { Evaluation } from '../evaluate.ts';
import { explainImages, type FindingExplanation } from '../explain-images.ts';
import { loadRun } from '../load-run.ts';
import { changedOptions, labelOf, METHODS, optionsOf, type Run, variantOf } from '../spec/index.ts';

interface PicturesRequest {
  /** The prepared file that the runs were evaluated on. */
  data: string;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/** Fig. 1 and Fig. 4 of a report; each is left out where the runs or the boxes for it are not there. */
export interface Pictures {
  explanations?: ExplanationFigureInput;
  epsilons?: EpsilonFigureInput;
}

/** One network of Fig. 1. */
interface Shown {
  run: Run;
  folder: string;
  label: string;
  localization: LocalizationResult;
}

type Row = ExplanationFigureInput['rows'][number];

/**
 * CAM and saliency of every method on one boxed test image of each pathology, and the Mass among them over growing epsilon. The images are
 * chosen by a rule that the figures state. CxrError CANCELLED, and those of `loadRun` and `openPrepared`.
 */
export async function reportPictures(evaluations: readonly Evaluation[], request: PicturesRequest): Promise<Pictures> {
  const shown = networksOf(evaluations);
  const { pairs, rule } = choosePairs(shown);
  if (pairs.length === 0) return {};
  const data = await openPrepared(request.data);
  try {
    const images = await Promise.all(pairs.map((pair) => imageOf(data, pair)));
    const columns: Row['explanations'][] = [];
    for (const network of shown) columns.push(await explainAll(network, images, request));
    const rows = images.map(({ name, finding, box, picture }, row): Row => {
      return { name, finding, box, picture, explanations: columns.map((column) => column[row]!) };
    });
    const { synthetic } = data;
    const several = shown.length < evaluations.filter(({ run }) => hasCam(run)).length ? ' Of several runs of a method: its first.' : '';
    const epsilons = epsilonsOf(shown, rows);
    return {
      explanations: { synthetic, rule: `${rule('every pathology')}${several}`, rows },
      ...(epsilons ? { epsilons: { synthetic, rule: `${rule('Mass')} ${epsilons.rule}`, rows: [epsilons.row] } } : {}),
    };
  } finally {
    data.close();
  }
}

/** Supervised shows its patches and Generative a walk: what they see is no CAM. */
function hasCam({ method }: Run): boolean {
  return METHODS[method].loss === 'bce' || METHODS[method].loss === 'weighted-ce';
}

/** The first run of every method and variant that has a CAM, in the order of the methods, variants after their method. */
function networksOf(evaluations: readonly Evaluation[]): Shown[] {
  const runs = evaluations.map(({ run }) => run);
  const first = evaluations.filter(({ run }, index) => {
    const same = (other: Run): boolean => other.method === run.method && variantOf(other, runs) === variantOf(run, runs);
    return hasCam(run) && !runs.slice(0, index).some(same);
  });
  const order = Object.keys(METHODS);
  const rank = (run: Run): number => 2 * order.indexOf(run.method) + (variantOf(run, runs) === null ? 0 : 1);
  return first
    .toSorted((a, b) => rank(a.run) - rank(b.run) || a.run.options.epsilon - b.run.options.epsilon)
    .map(({ run, folder, localization }) => {
      // <run>/evaluation/<data set>
      return { run, folder: path.resolve(folder, '..', '..'), label: labelOf(run, runs), localization: localization.run };
    });
}

/** One pair a finding: by the difference between Robust and Baseline where both are there, else by the first network. */
function choosePairs(shown: readonly Shown[]): { pairs: NamedPair[]; rule: (what: string) => string } {
  const [robust, baseline] = ['robust', 'baseline'].map((method) => shown.find(({ run }) => run.method === method));
  const both = robust && baseline ? { of: robust, minus: baseline } : null;
  const of = both?.of ?? shown[0];
  const measure = both ? `IoU by ${both.of.label} minus that by ${both.minus.label}` : `IoU by ${of?.label}`;
  return {
    pairs: of ? typicalPairs(of.localization, both?.minus.localization ?? null) : [],
    rule: (what) =>
      `Chosen by rule, not by eye: of ${what} the boxed test image whose ${measure} is the median (of two the lower, among equals the first by name).`,
  };
}

interface ChosenImage {
  name: string;
  finding: BoxedFinding;
  box: Row['box'];
  pixels: GreyImage;
  /** The pixels as PNG: shown, and explained as any image's bytes. */
  picture: Uint8Array;
}

/** The image as the networks see it: [S, S] of the prepared file. */
async function imageOf(data: PreparedData, { finding, image }: NamedPair): Promise<ChosenImage> {
  const row = data.images.findIndex(({ name }) => name === image);
  const pixels = { width: data.size, height: data.size, pixels: Uint8Array.from(data.pixels(row)) };
  const picture = await encodeGreyPng(pixels);
  const box = data.images[row]!.boxes.find((known) => known.finding === finding)?.box ?? null;
  return { name: image, finding, box, pixels, picture };
}

/** One column of Fig. 1. */
async function explainAll(
  { folder, run, label, localization }: Shown,
  images: readonly ChosenImage[],
  { onProgress, signal }: PicturesRequest,
): Promise<Row['explanations']> {
  const loaded = loadRun(folder);
  try {
    const column: Row['explanations'][number][] = [];
    for (const { name, finding, pixels, picture } of images) {
      const [explained] = await explainImages(loaded, { images: [{ bytes: picture, where: name }], findings: [finding], signal });
      const explanation = explained!.findings[finding]!;
      const iou = pairIou(localization, { finding, image: name });
      const note = [
        ...(iou === null ? [] : [`IoU ${iou.toFixed(2)}`]),
        ...(explanation.probability === null ? [] : [`probability ${explanation.probability.toFixed(2)}`]),
      ].join(', ');
      const box = explanation.box && scaleBox(explanation.box, pixels, { width: NIH_SIZE, height: NIH_SIZE });
      column.push({ label, method: run.method, ...(await picturesOf(pixels, explanation)), box, note });
      onProgress?.({ what: `${METHODS[run.method].label}, pictures of the report`, done: column.length, total: images.length });
    }
    return column;
  } finally {
    loaded.dispose();
  }
}

async function picturesOf(image: GreyImage, { cam, saliency }: FindingExplanation): Promise<{ cam: Uint8Array; saliency: Uint8Array }> {
  const map = scaleTo255(upsampleBilinear(cam.values, cam.height, cam.width, image.height, image.width));
  const grey = renderSaliency(saliencyImage(saliency.values), saliency.width, saliency.height);
  return { cam: await encodeRgbPng(overlayCam(image, { map })), saliency: await encodeGreyPng(grey) };
}

/** Fig. 4 from the saliencies of Fig. 1: runs that differ in nothing but epsilon, two at least, and Baseline where none has epsilon 0. */
function epsilonsOf(shown: readonly Shown[], rows: readonly Row[]): { row: EpsilonFigureInput['rows'][number]; rule: string } | null {
  const mass = rows.find(({ finding }) => finding === 'Mass');
  const kinds = new Map<string, number[]>();
  for (const [index, { run }] of shown.entries()) {
    if (run.method !== 'robust' || !optionsOf(run.method, run.options).includes('epsilon')) continue;
    const others = changedOptions(run).filter((name) => name !== 'epsilon');
    const kind = others.map((name) => `${name} ${run.options[name]}`).join(', ');
    kinds.set(kind, [...(kinds.get(kind) ?? []), index]);
  }
  const [kind, own] = [...kinds].find(([, indices]) => indices.length > 1) ?? [];
  if (!mass || !own) return null;
  const trained = own.map((index) => ({ epsilon: shown[index]!.run.options.epsilon, index }));
  const baseline = shown.findIndex(({ run }) => run.method === 'baseline' && changedOptions(run).length === 0);
  const zero = trained.some(({ epsilon }) => epsilon === 0) || baseline < 0 ? [] : [{ epsilon: 0, index: baseline }];
  const sorted = [...zero, ...trained].sort((a, b) => a.epsilon - b.epsilon);
  const { explanations, ...image } = mass;
  return {
    row: { ...image, saliencies: sorted.map(({ epsilon, index }) => ({ epsilon, saliency: explanations[index]!.saliency })) },
    rule: `${findingLabel('Mass')} as Robust${kind ? `, ${kind},` : ''} shows it after training with each epsilon${zero.length > 0 ? '; 0 is Baseline' : ''}.`,
  };
}
