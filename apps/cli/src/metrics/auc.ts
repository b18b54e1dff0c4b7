import { CxrError, type Finding, lineOf } from '@cxr-lens/data';
import { type Auc, aucBootstrap, auc as aucOf, meanAuc } from '@cxr-lens/eval';
import { type AucDifferences, aucDifferences } from './difference.ts';
import { type ImageRows, placesOf } from './images.ts';
import { type Labels, readLabels } from './labels.ts';
import { patientColumnName, patientReader } from './patients.ts';
import { readScores, type Scores } from './scores.ts';

export interface AucRequest {
  scores: string;
  labels: string;
  /** A second file of scores for the same images. */
  against?: string | undefined;
  /** A column of the labels, or a file. */
  patients?: string | undefined;
  /** Of the bootstrap over patients. */
  seed: number;
}

/** AUC of one finding; with patients also the percentile interval under resampling of patients, which `ci` (DeLong) does not know. */
type FindingAuc = Auc & { bootstrap?: [number, number] | null };

/** JSON-ready. */
export interface MeasuredAucs {
  findings: Partial<Record<Finding, FindingAuc>>;
  mean: number | null;
  /** Only with patients. */
  meanBootstrap?: [number, number] | null;
  images: number;
  /** Null without `--patients`: then intervals take images as independent. */
  patients: number | null;
  /** What the files hold and is not in the numbers. */
  leftOut: {
    /** Of the scores: no findings; "" is pandas' index. */
    columns: string[];
    /** With scores, but the labels have no column for them. */
    unlabelledFindings: Finding[];
    /** Images with a label and without a score. */
    labels: number;
  };
  /** Images whose name differs between the files in folder or extension. */
  matchedByBaseName: number;
  /** Only with `--against`. */
  difference?: AucDifferences;
}

/** Measures a file of scores, and says on `note` what of the files is not in the numbers. CxrError for files that cannot be measured. */
export async function measureAucs(request: AucRequest, note: (sentence: string) => void): Promise<MeasuredAucs> {
  const scores = await readScores(request.scores);
  noteColumns(request.scores, scores, note);
  const labels = await readLabels(request.labels, scores.images);
  const columns = labelled(request, { scores, labels }, note);
  const truth = columns.map(({ finding }) => Uint8Array.from(labels.findings, (own) => (own.has(finding) ? 1 : 0)));
  const other = request.against === undefined ? null : await readAgainst(request.against, scores.images, note);
  const clusters = await clustersOf(request, { labels }, note);
  const results = columns.map((column, index) => aucOf(column.scores, truth[index]!));
  const bootstrap =
    clusters && aucBootstrap({ scores: columns.map((column) => column.scores), labels: truth, clusters, seed: request.seed });
  const findings = columns.map(({ finding }, index): [Finding, FindingAuc] => {
    const result = results[index]!;
    if (!bootstrap) return [finding, result];
    if (result.ci === null) return [finding, { ...result, bootstrap: null }];
    if (severalPatients(clusters, truth[index]!)) return [finding, { ...result, bootstrap: bootstrap.ci[index]! }];
    return [finding, { ...result, bootstrap: null, reason: 'a class of one patient: no interval' }];
  });
  const matchedByBaseName = labels.places.filter(({ exact }) => !exact).length;
  return {
    findings: Object.fromEntries(findings),
    mean: meanAuc(results),
    ...(bootstrap && { meanBootstrap: new Set(clusters).size > 1 ? bootstrap.meanCi : null }),
    images: scores.images.names.length,
    patients: clusters && new Set(clusters).size,
    leftOut: {
      columns: scores.ignored,
      unlabelledFindings: scores.columns.flatMap(({ finding }) => (labels.known.has(finding) ? [] : [finding])),
      labels: labels.listed.names.length - labels.places.length,
    },
    matchedByBaseName,
    ...(other && {
      difference: aucDifferences({
        images: scores.images.names,
        truth: columns.map(({ finding }, index) => ({ finding, labels: truth[index]! })),
        a: { file: request.scores, columns },
        b: { file: request.against!, columns: other },
        clusters,
      }),
    }),
  };
}

function noteColumns(file: string, { ignored }: Scores, note: (sentence: string) => void): void {
  if (ignored.length === 0) return;
  const names = ignored.map((name) => (name === '' ? '1 (without a name)' : `"${name.slice(0, 40)}"`)).join(', ');
  note(`${file}: left out, as it is no finding of NIH: ${ignored.length === 1 ? 'column' : 'columns'} ${names}`);
}

function labelled(
  { scores: scoresFile, labels: labelsFile }: AucRequest,
  { scores, labels }: { scores: Scores; labels: Labels },
  note: (sentence: string) => void,
): Scores['columns'] {
  const columns = scores.columns.filter(({ finding }) => labels.known.has(finding));
  const unlabelled = scores.columns.flatMap(({ finding }) => (labels.known.has(finding) ? [] : [finding])).join(', ');
  if (columns.length === 0) {
    throw new CxrError('BAD_INPUT', `${labelsFile} line 1: no label column for ${unlabelled}, which ${scoresFile} scores. Add one.`);
  }
  if (unlabelled !== '') note(`${labelsFile} has no label column for ${unlabelled}: left out`);
  return columns;
}

/** The second file's columns, in the order of the first file's images. */
async function readAgainst(file: string, images: ImageRows, note: (sentence: string) => void): Promise<Scores['columns']> {
  const other = await readScores(file);
  noteColumns(file, other, note);
  const places = placesOf(other.images, { file: images.table.file, names: images.names, what: 'scores' });
  const order = new Int32Array(images.names.length).fill(-1);
  for (const [index, { at }] of places.entries()) order[at] = index;
  const missing = order.indexOf(-1);
  if (missing >= 0) {
    const both = `Line ${lineOf(images.table, images.rows[missing]!)} of ${images.table.file} scores it; a paired difference needs the same images in both`;
    throw new CxrError('BAD_INPUT', `${file} has no scores for ${images.names[missing]}. ${both}.`);
  }
  return other.columns.map(({ finding, scores }) => ({ finding, scores: Float64Array.from(order, (index) => scores[index]!) }));
}

async function clustersOf(
  request: AucRequest,
  { labels: { listed, places } }: { labels: Labels },
  note: (sentence: string) => void,
): Promise<string[] | null> {
  if (request.patients === undefined) {
    const column = patientColumnName(listed.table);
    if (column !== undefined)
      note(`Intervals take images as independent; --patients "${column}" resamples the patients of ${request.labels}`);
    return null;
  }
  const patientOf = await patientReader(request.patients, request.labels);
  const clusters = places.map(({ at }) => patientOf(listed.names[at]!));
  note(`Resampling ${new Set(clusters).size} patients ...`);
  return clusters;
}

/** A class whose images are all of one patient is the same in every resample that has it: the interval would say nothing of other patients. */
function severalPatients(clusters: readonly string[], labels: Uint8Array): boolean {
  return [0, 1].every((label) => new Set(clusters.filter((_, index) => labels[index] === label)).size > 1);
}
