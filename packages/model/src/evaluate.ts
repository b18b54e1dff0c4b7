import {
  BOXED_FINDINGS,
  type BoxedFinding,
  CxrError,
  FINDINGS,
  type Finding,
  isBoxedFinding,
  type MapScales,
  type OnProgress,
  openPrepared,
  type PreparedData,
} from '@cxr-lens/data';
import {
  auc,
  aucBootstrap,
  FEW_CASES_REASON,
  type IouTable,
  type LocalizationPair,
  meanAuc,
  meanHasInterval,
  type ScoreTable,
  type Truth,
} from '@cxr-lens/eval';
import { codeVersion } from './code-version.ts';
import { type EvaluationFiles, evaluationFiles, keptPart, removeParts, writeScores } from './evaluation-folder.ts';
import { columnOf, labelArray } from './images.ts';
import { boxedPatients, writeIous } from './ious.ts';
import { keepMaps, mapName, writeMap } from './kept-maps.ts';
import { type LoadedRun, loadRun } from './load-run.ts';
import { forMaps } from './maps.ts';
import { dataRef } from './plan.ts';
import { predictLogits } from './predict.ts';
import { measure } from './protocols.ts';
import { readCard, runFiles, writeAtomic, writeCard } from './run-folder.ts';
import { type AucFile, type Card, type LocalizationFile, METHODS, type Run } from './spec/index.ts';
import { scoredRows } from './supervision.ts';

/** Images whose logits are kept together while an evaluation is under way. */
const PART = 1024;

export interface EvaluateRequest {
  /** A finished run folder. */
  run: string;
  /** A prepared file of the run's input size; its test images are scored. */
  data: string;
  /** Of folds, bootstrap and controls: the same for all runs that are compared. Default 0. */
  seed?: number | undefined;
  /** Bootstrap resamples of patients. Default 2000. */
  resamples?: number | undefined;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
  /** Called before every write to the run folder; what it throws stops the evaluation. */
  beforeWrite?: (() => Promise<void>) | undefined;
}

/** A finished evaluation: what auc.json and localization.json in `folder` hold. */
export interface Evaluation {
  folder: string;
  run: Run;
  auc: AucFile;
  localization: LocalizationFile;
  /** By the method's main protocol, as ious.npy holds them. */
  ious: IouTable;
  /** Logits and labels of the test images, for comparing runs image by image. */
  scores: ScoreTable;
  truth: Truth;
}

type Thresholds = NonNullable<Card['camThresholds']>;
type Head = Omit<AucFile, 'images' | 'findings' | 'mean'>;

/**
 * Scores a run on the test images of a prepared file and writes scores.csv, the boxed pairs' maps and IoUs, auc.json and
 * localization.json into its folder. The CAM thresholds that the protocol chose go into its card where `chooseThresholds` lets them. An interrupted evaluation goes on where it was.
 * CxrError BAD_INPUT (other input size, no test image), those of `loadRun`, CANCELLED, UNAVAILABLE.
 */
export async function evaluateRun(request: EvaluateRequest): Promise<Evaluation> {
  const data = await openPrepared(request.data);
  try {
    const loaded = loadRun(request.run);
    try {
      checkFits(loaded.run, data);
      return await evaluate(loaded, data, request);
    } finally {
      loaded.dispose();
    }
  } finally {
    data.close();
  }
}

async function evaluate(loaded: LoadedRun, data: PreparedData, request: EvaluateRequest): Promise<Evaluation> {
  const { seed = 0, resamples = 2000, beforeWrite } = request;
  const { run, card } = loaded;
  const files = evaluationFiles(request.run, data);
  const { rows, excludedPatients } = scoredRows(run, data);
  const scored: Scored = { loaded, data, rows, files };
  const logits = await testLogits(scored, request);
  await beforeWrite?.();
  writeScores(files, data, rows, logits);
  const { pairs, scales } = await boxedPairs(scored, request);
  const head: Head = {
    format: 1,
    runId: run.id,
    weightsSha256: card.weightsSha256,
    data: dataRef(data),
    seed,
    resamples,
    codeVersion: codeVersion(),
    createdAt: new Date().toISOString(),
    excludedPatients,
  };
  const aucFile = { ...head, ...aucTable(data, rows, logits, { seed, resamples }) };
  const options = { seed, resamples };
  const { ious, measured } = measure(run.method, pairs, options);
  const [main, ...others] = measured;
  const patients = boxedPatients(data);
  const localizationFile = { ...head, ...main, others };
  await beforeWrite?.();
  keepMaps(files.maps, pairs, scales);
  writeIous(files.folder, { ...head, patients }, ious);
  // As it is now: another evaluation may have ended meanwhile.
  const had = readCard(request.run);
  const camThresholds = chooseThresholds(had.camThresholds, thresholdsOf(localizationFile), run);
  if (camThresholds !== had.camThresholds || run.cardSha256 === null) writeCard(runFiles(request.run), { ...had, camThresholds });
  writeAtomic(files.auc, `${JSON.stringify(aucFile, null, 2)}\n`);
  // last: it says that the evaluation is finished, and whatever is missing before it comes by evaluating again
  writeAtomic(files.localization, `${JSON.stringify(localizationFile, null, 2)}\n`);
  removeParts(files);
  const table = { protocol: ious.protocol, patients, pairs: ious.run };
  return { folder: files.folder, run, auc: aucFile, localization: localizationFile, ious: table, ...tablesOf(data, rows, logits) };
}

function checkFits(run: Run, data: PreparedData): void {
  if (data.size !== run.inputSize) {
    throw new CxrError(
      'BAD_INPUT',
      `${data.path} holds images of ${data.size} x ${data.size}; run ${run.id} takes ${run.inputSize} x ${run.inputSize}. Prepare them with --size ${run.inputSize}.`,
    );
  }
  if (data.rows('test').length === 0) throw new CxrError('BAD_INPUT', `${data.path} has no test image, so there is nothing to score.`);
}

/** What is scored, and where it is kept. */
interface Scored {
  loaded: LoadedRun;
  data: PreparedData;
  /** Of the test images, all but those that the run has trained on. */
  rows: readonly number[];
  files: EvaluationFiles;
}

/** Logits of the test images, [N * 14], in parts that survive an interruption. */
async function testLogits(
  { loaded: { network, run, card }, data, rows, files }: Scored,
  { onProgress, signal, beforeWrite }: EvaluateRequest,
): Promise<Float32Array> {
  const what = `${METHODS[run.method].label}, test images`;
  const logits = new Float32Array(rows.length * FINDINGS.length);
  for (let start = 0; start < rows.length; start += PART) {
    const part = rows.slice(start, start + PART);
    const name = `${card.weightsSha256.slice(0, 12)}-${data.datasetHash.slice(0, 12)}-${start}`;
    const progress: OnProgress = ({ done }) => onProgress?.({ what, done: start + done, total: rows.length });
    const values = await keptPart(files, name, async () => {
      const computed = await predictLogits(network, data, part, { what, onProgress: progress, signal });
      await beforeWrite?.();
      return computed;
    });
    logits.set(values, start * FINDINGS.length);
  }
  return logits;
}

/** The (image, finding) pairs of the test images' boxes with their maps, kept as files on the way. */
async function boxedPairs(
  { loaded, data, rows, files }: Scored,
  { onProgress, signal, beforeWrite }: EvaluateRequest,
): Promise<{ pairs: LocalizationPair[]; scales: MapScales }> {
  const asked = rows
    .filter((row) => data.images[row]!.boxes.length > 0)
    .map((row) => ({ row, findings: data.images[row]!.boxes.map(({ finding }) => finding) }));
  const pairs: LocalizationPair[] = [];
  const scales: MapScales = {};
  await forMaps(loaded, data, asked, {
    what: `${METHODS[loaded.run.method].label}, maps of boxed images`,
    onProgress,
    signal,
    use: async (row, maps) => {
      await beforeWrite?.();
      const { name, patientId, boxes } = data.images[row]!;
      for (const { finding, map, height, width } of maps) {
        if (!isBoxedFinding(finding)) continue;
        const { stored, scale } = writeMap(files.maps, { image: name, finding, map, height, width });
        if (scale !== undefined) scales[mapName({ image: name, finding })] = scale;
        const { box } = boxes.find((known) => known.finding === finding)!;
        pairs.push({ image: name, patientId, finding, box, map: stored, height, width });
      }
    },
  });
  return { pairs, scales };
}

function aucTable(
  data: PreparedData,
  rows: readonly number[],
  logits: Float32Array,
  { seed, resamples }: { seed: number; resamples: number },
): Pick<AucFile, 'images' | 'findings' | 'mean'> {
  const labels = labelArray(data, rows).data;
  const scores = FINDINGS.map((_, index) => columnOf(logits, index));
  const truth = FINDINGS.map((_, index) => columnOf(labels, index));
  const clusters = rows.map((row) => data.images[row]!.patientId);
  const bootstrap = aucBootstrap({ scores, labels: truth, clusters, resamples, seed });
  const results = FINDINGS.map((_, index) => auc(scores[index]!, truth[index]!));
  const table = FINDINGS.map((finding, index) => [finding, { ...results[index]!, bootstrap: bootstrap.ci[index]! }]);
  const mean = { auc: meanAuc(results), bootstrap: bootstrap.meanCi, findings: results.filter((result) => result.auc !== null).length };
  return {
    images: rows.length,
    findings: Object.fromEntries(table) as AucFile['findings'],
    mean: meanHasInterval(results) ? mean : { ...mean, reason: FEW_CASES_REASON },
  };
}

function tablesOf(data: PreparedData, rows: readonly number[], logits: Float32Array): Pick<Evaluation, 'scores' | 'truth'> {
  const images = rows.map((row) => data.images[row]!.name);
  const labels = labelArray(data, rows).data;
  const byFinding = <T>(values: (index: number) => T): Record<Finding, T> =>
    Object.fromEntries(FINDINGS.map((finding, index) => [finding, values(index)])) as Record<Finding, T>;
  return {
    scores: { images, scores: byFinding((index) => columnOf(logits, index)) },
    truth: { images, patientIds: rows.map((row) => data.images[row]!.patientId), labels: byFinding((index) => columnOf(labels, index)) },
  };
}

/** The thresholds that `explain` will draw regions with. */
function thresholdsOf({ run, data }: LocalizationFile): Thresholds {
  const values = Object.fromEntries(Object.entries(run.findings).map(([finding, { threshold }]) => [finding, threshold]));
  return {
    protocol: run.protocol,
    datasetHash: data.datasetHash,
    synthetic: data.synthetic,
    values: values as Record<BoxedFinding, number | null>,
  };
}

/**
 * What the card holds after an evaluation. Thresholds chosen on other data than the run's own never replace those of the card, and a
 * table in which a value would be lost replaces none: the values of one table are of one protocol and one data set.
 */
function chooseThresholds(had: Thresholds | null, found: Thresholds, run: Run): Thresholds | null {
  const known = ({ values }: Thresholds): BoxedFinding[] => BOXED_FINDINGS.filter((finding) => values[finding] !== null);
  if (known(found).length === 0) return had;
  if (had === null || known(had).length === 0) return found;
  const ownOrSame = [run.data?.datasetHash, had.datasetHash].includes(found.datasetHash);
  return ownOrSame && known(had).every((finding) => found.values[finding] !== null) ? found : had;
}
