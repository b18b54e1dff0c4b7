/**
 * Evaluation at the size of NIH's test set, by the functions that `evaluate` calls: 2,000 patient resamples of the AUC of 25,596 x 14
 * scores, and the localisation curves of 984 CAMs at 256 thresholds with folds and bands. Synthetic, seeded data.
 *
 *   npx tsx bench/evaluation.ts [--peer PYTHON]     PYTHON: an interpreter with numpy and scikit-learn
 *
 * One JSON line a measurement: median of five runs after one more, in seconds, on one core. With a peer: evaluation_peer.py does the same
 * on a part of the same data, its time is extrapolated linearly, and exit code 1 says that its numbers are not ours.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BOXED_FINDINGS, type Box, random } from '@cxr-lens/data';
import { type AucBootstrap, auc, aucBootstrap, type LocalizationPair, localization, pairIous } from '@cxr-lens/eval';

const PATIENTS = 2797;
const IMAGES = 25_596;
/** Shares of NIH's test images, in the order of FINDINGS. */
const PREVALENCES = [0.1281, 0.0418, 0.182, 0.2388, 0.0683, 0.0634, 0.0217, 0.1041, 0.0709, 0.0361, 0.0427, 0.017, 0.0447, 0.0034];
/** Boxes of NIH's list, in the order of BOXED_FINDINGS: 984. */
const BOXES = [180, 146, 153, 123, 85, 79, 120, 98];
const BOXED_PATIENTS = 726;
const MAP_SIZE = 28;
const RESAMPLES = 2000;
const SEED = 7;
const TARGET_S = 5;
/** What the peer does of it: it would take minutes. */
const PEER = { resamples: 20, maps: 40 };
const AGREEMENT = 1e-6;

interface Scores {
  /** [14][N] */
  scores: Float32Array[];
  labels: Uint8Array[];
  /** [N] */
  patients: Uint32Array;
  clusters: string[];
}

/** Scores in steps of 1/256: thousands of ties. Half of the patients have no finding, and few have most of the images. */
function makeScores(): Scores {
  const rng = random('bench/evaluation/scores');
  const patients = Uint32Array.from({ length: IMAGES }, (_, i) => (i < PATIENTS ? i : rng.int(1 + rng.int(PATIENTS))));
  const labels = PREVALENCES.map((share) => Uint8Array.from(patients, (patient) => (patient % 2 && rng.next() < 2 * share ? 1 : 0)));
  const scores = labels.map((column) => Float32Array.from(column, (label) => Math.round((rng.normal() + label) * 256) / 256));
  return { scores, labels, patients, clusters: Array.from(patients, String) };
}

/** Noise, raised in a box of 48 ... 560 pixels a side. */
function makePairs(): LocalizationPair[] {
  const rng = random('bench/evaluation/maps');
  const findings = BOXED_FINDINGS.flatMap((finding, index) => Array.from({ length: BOXES[index]! }, () => finding));
  return rng.shuffle(findings).map((finding, index) => {
    const [width, height] = [48 + rng.int(512), 48 + rng.int(512)];
    const box = { x: rng.int(1024 - width), y: rng.int(1024 - height), width, height };
    const map = Float32Array.from({ length: MAP_SIZE ** 2 }, (_, cell) => rng.normal() + (inBox(cell, box) ? 2 : 0));
    return { image: `${index}.png`, patientId: String(index % BOXED_PATIENTS), finding, box, map, height: MAP_SIZE, width: MAP_SIZE };
  });
}

function inBox(cell: number, { x, y, width, height }: Box): boolean {
  const side = 1024 / MAP_SIZE;
  const column = ((cell % MAP_SIZE) + 0.5) * side - x;
  const row = (Math.floor(cell / MAP_SIZE) + 0.5) * side - y;
  return column >= 0 && column < width && row >= 0 && row < height;
}

const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const rounded = (value: number) => Number(value.toPrecision(4));
const peakMiB = () => Math.round(process.resourceUsage().maxRSS / 1024);

function measure(what: string, work: () => unknown): number {
  work();
  const runs = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  }).sort((a, b) => a - b);
  print({ what, seconds: rounded(runs[2]!), fastest: rounded(runs[0]!), slowest: rounded(runs[4]!), peakMiB: peakMiB() });
  return runs[2]!;
}

interface PeerResult {
  versions: string;
  /** Of the part that it did. */
  seconds: { auc: number; maps: number };
  peakMiB: number;
  auc: number[];
  intervals: [number, number][];
  meanInterval: [number, number];
  /** [maps][256] */
  ious: number[][];
}

function runPeer(python: string, { scores, labels, patients }: Scores, pairs: readonly LocalizationPair[]): PeerResult {
  const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-bench-'));
  try {
    const write = (name: string, arrays: readonly NodeJS.ArrayBufferView[]) => {
      const bytes = arrays.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength));
      writeFileSync(path.join(folder, name), Buffer.concat(bytes));
    };
    // the patients that aucBootstrap draws
    const rng = random(SEED);
    const draws = Int32Array.from({ length: PEER.resamples * PATIENTS }, () => rng.int(PATIENTS));
    const part = pairs.slice(0, PEER.maps);
    const boxes = part.map(({ box }) => Float64Array.of(box.x, box.y, box.width, box.height));
    const maps = part.map(({ map }) => map);
    for (const [name, arrays] of Object.entries({ scores, labels, patients: [patients], draws: [draws], boxes, maps })) write(name, arrays);
    const script = path.join(import.meta.dirname, 'evaluation_peer.py');
    return JSON.parse(execFileSync(python, [script, folder], { encoding: 'utf8', maxBuffer: 2 ** 26 })) as PeerResult;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The largest difference between the peer's numbers and ours. */
function difference(peer: PeerResult, { scores, labels, clusters }: Scores, pairs: readonly LocalizationPair[]): number {
  const bootstrap: AucBootstrap = aucBootstrap({ scores, labels, clusters, resamples: PEER.resamples, seed: SEED });
  const ours = [scores.map((column, index) => auc(column, labels[index]!).auc!), bootstrap.ci, bootstrap.meanCi!].flat(2) as number[];
  const theirs = [peer.auc, peer.intervals, peer.meanInterval].flat(2);
  const ious = pairs.slice(0, PEER.maps).flatMap((pair) => Array.from(pairIous(pair).ious));
  const [a, b] = [ours.concat(ious), theirs.concat(peer.ious.flat())];
  return a.length === b.length ? Math.max(...a.map((value, index) => Math.abs(value - b[index]!))) : Number.NaN;
}

const { values } = parseArgs({ options: { peer: { type: 'string' } } });
const table = makeScores();
const pairs = makePairs();
const seconds = {
  auc: measure(`AUC of ${IMAGES} x ${PREVALENCES.length} scores, ${RESAMPLES} resamples of ${PATIENTS} patients`, () => {
    for (const [index, column] of table.scores.entries()) auc(column, table.labels[index]!);
    aucBootstrap({ ...table, resamples: RESAMPLES, seed: SEED });
  }),
  maps: measure(`${pairs.length} maps at 256 thresholds, folds, ${RESAMPLES} resamples`, () =>
    localization(pairs, { seed: SEED, resamples: RESAMPLES }),
  ),
};
const total = seconds.auc + seconds.maps;
print({ what: 'both', seconds: rounded(total), target: TARGET_S, reached: total < TARGET_S, peakMiB: peakMiB() });
if (values.peer) {
  const peer = runPeer(values.peer, table, pairs);
  const whole = {
    auc: (peer.seconds.auc * RESAMPLES) / PEER.resamples,
    maps: (peer.seconds.maps * pairs.length) / PEER.maps,
  };
  const of = { auc: `${PEER.resamples} of ${RESAMPLES} resamples`, maps: `${PEER.maps} of ${pairs.length} maps, without folds and bands` };
  for (const key of ['auc', 'maps'] as const) {
    const ratio = Math.round(whole[key] / seconds[key]);
    print({ peer: peer.versions, what: key, measured: of[key], extrapolatedSeconds: rounded(whole[key]), ratio, peakMiB: peer.peakMiB });
  }
  const largest = difference(peer, table, pairs);
  const agrees = largest < AGREEMENT;
  print({ what: 'largest difference of AUCs, intervals and IoUs from the peer', largest, agrees });
  if (!agrees) process.exitCode = 1;
}
