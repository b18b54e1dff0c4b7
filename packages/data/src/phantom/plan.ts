import { CxrError } from '../error.ts';
import { BOXED_FINDINGS, FINDINGS, type Finding, isBoxedFinding } from '../findings.ts';
import { type Random, random } from '../random.ts';
import type { Sex, View } from './anatomy.ts';
import { around } from './noise.ts';
import { CORRELATED, IMAGES_PER_PATIENT, type Prevalence, prevalenceOf } from './prevalence.ts';
import type { Shortcut } from './shortcuts.ts';

/** What one image shows, decided before anything is drawn. */
export interface PhantomImage {
  /** `00000001_000.png`, as NIH names its files. */
  name: string;
  patientId: string;
  followUp: number;
  age: number;
  /** Age at the first visit, which shapes the patient. */
  buildAge: number;
  sex: Sex;
  view: View;
  test: boolean;
  /** What is really there, with its grade: 0 = barely there, 1 = obvious. */
  findings: { finding: Finding; grade: number }[];
  /** What the table says: with label noise not quite the same. */
  labels: Finding[];
  shortcuts: Shortcut[];
}

export interface PlanOptions {
  images: number;
  seed: number;
  prevalence: Prevalence;
  /** Share of wrong labels: so many positives are missed, and as many images are called positive that are not. */
  labelNoise: number;
}

/** What an enriched set promises of its test images, whatever the label noise. */
export const ENRICHED_BOXED_PAIRS = 40;
export const ENRICHED_POSITIVES = 30;
/** A test set of fewer images would have to show three findings on most. */
const ENRICHED_TEST_IMAGES = 200;
const ENRICHED_LEAST = 2 * ENRICHED_TEST_IMAGES;
const NIH_LEAST = 20;
const TEST_SHARE = { nih: 25_596 / 112_120, enriched: 0.25 } as const;

/**
 * Decides patients, visits, findings and labels. Every image's shortcuts and view are still without shortcut dials: `addShortcuts` sets them.
 * BAD_INPUT when so few images cannot be split, or cannot hold what `enriched` promises.
 */
export function planImages(options: PlanOptions): PhantomImage[] {
  const { images, prevalence } = options;
  const least = prevalence === 'enriched' ? ENRICHED_LEAST : NIH_LEAST;
  if (images < least) {
    const reason =
      prevalence === 'enriched'
        ? `enriched promises ${ENRICHED_BOXED_PAIRS} boxed test pairs of each of ${BOXED_FINDINGS.length} findings and ${ENRICHED_POSITIVES} test positives of each of ${FINDINGS.length}, which takes ${ENRICHED_TEST_IMAGES} test images and as many to train on`
        : 'fewer cannot be split by patient into training, validation and test';
    throw new CxrError('BAD_INPUT', `${images} images are too few for --prevalence ${prevalence}: ${reason}. Ask for at least ${least}.`);
  }
  const share = Math.round(images * TEST_SHARE[prevalence]);
  const testImages = prevalence === 'enriched' ? Math.max(share, ENRICHED_TEST_IMAGES) : Math.max(share, 4);
  const stream = random(`phantom/${options.seed}/plan`);
  const planned = [...planVisits(stream, images - testImages, false, options), ...planVisits(stream, testImages, true, options)];
  const shuffled = stream.shuffle([...new Set(planned.map((image) => image.patientId))]);
  // test patients are not the last ones: ids are dealt anew
  const ids = new Map(shuffled.map((id, i) => [id, String(i + 1)]));
  for (const image of planned) {
    image.patientId = ids.get(image.patientId)!;
    image.name = `${image.patientId.padStart(8, '0')}_${String(image.followUp).padStart(3, '0')}.png`;
  }
  for (const test of [false, true])
    planFindings(
      stream,
      planned.filter((image) => image.test === test),
      test,
      options,
    );
  return planned.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Patients with their visits until there are `count` images; names are given later. */
function planVisits(stream: Random, count: number, test: boolean, { prevalence }: PlanOptions): PhantomImage[] {
  const shares = prevalence === 'enriched' ? IMAGES_PER_PATIENT.enriched : IMAGES_PER_PATIENT[test ? 'test' : 'trainVal'];
  // one patient may not be the set: in small sets the long tail is cut
  const most = Math.max(1, Math.floor(count / 15));
  const planned: PhantomImage[] = [];
  for (let patient = 0; planned.length < count; patient++) {
    const sex: Sex = stream.next() < 0.565 ? 'M' : 'F';
    const buildAge = Math.round(Math.max(18, Math.min(88, around(stream, 48, 17))));
    const visits = Math.min(visitsOf(stream.next(), shares), most, count - planned.length);
    for (let followUp = 0; followUp < visits; followUp++) {
      planned.push({
        name: '',
        patientId: `${test ? 'test' : 'train'} ${patient}`,
        followUp,
        age: buildAge + Math.floor(followUp / 4),
        buildAge,
        sex,
        view: 'PA',
        test,
        findings: [],
        labels: [],
        shortcuts: [],
      });
    }
  }
  return planned;
}

/** Inverse of the shares "at least n images", linear between its points. */
function visitsOf(q: number, shares: readonly (readonly [number, number])[]): number {
  for (let i = 0; i + 1 < shares.length; i++) {
    const [n, share] = shares[i]!;
    const [next, shareOfNext] = shares[i + 1]!;
    if (q > shareOfNext) return Math.max(n, Math.floor(n + ((share - q) / (share - shareOfNext)) * (next - n)));
  }
  return shares.at(-1)![0];
}

/** Exponent of the grades: below 1 there are more obvious than faint ones, and a small network sees enough to learn from. */
const GRADE = 0.75;

/** Half of the variance of what a patient has is the patient's. */
const PATIENT_SHARE = 0.55;

/** Each finding goes to the images whose correlated normal variable is largest: counts are exact, findings come together as NIH's do, and stay with patients. */
function planFindings(stream: Random, images: PhantomImage[], test: boolean, options: PlanOptions): void {
  const shares = prevalenceOf(options.prevalence, test);
  const patients = new Map<string, number[]>();
  const latent = images.map((image) => {
    const own = patients.get(image.patientId) ?? correlated(stream);
    patients.set(image.patientId, own);
    const visit = correlated(stream);
    return visit.map((z, j) => Math.sqrt(PATIENT_SHARE) * own[j]! + Math.sqrt(1 - PATIENT_SHARE) * z);
  });
  const grades = new Map<string, number>();
  for (const [j, finding] of FINDINGS.entries()) {
    const promised = test && options.prevalence === 'enriched' ? promisedOf(finding) : 0;
    const count = Math.min(images.length, Math.max(Math.round(shares[finding] * images.length), promised));
    const order = images.map((_, i) => i).sort((a, b) => latent[b]![j]! - latent[a]![j]! || a - b);
    const positives = order.slice(0, count);
    for (const i of positives) {
      const image = images[i]!;
      const key = `${image.patientId}/${finding}`;
      if (!grades.has(key)) grades.set(key, stream.next() ** GRADE);
      const grade = Math.max(0, Math.min(1, grades.get(key)! + 0.3 * (stream.next() - 0.5)));
      image.findings.push({ finding, grade: Math.round(grade * 1000) / 1000 });
    }
    labelWithNoise(stream, images, finding, { positives, negatives: order.slice(count), promised, noise: options.labelNoise });
  }
}

/** A few more than promised, so that a finding hidden outside of the film does not break the promise. */
function promisedOf(finding: Finding): number {
  return isBoxedFinding(finding) ? ENRICHED_BOXED_PAIRS + 3 : ENRICHED_POSITIVES + 2;
}

function labelWithNoise(
  stream: Random,
  images: PhantomImage[],
  finding: Finding,
  truth: { positives: number[]; negatives: number[]; promised: number; noise: number },
): void {
  const { positives, negatives, promised, noise } = truth;
  const missed = Math.min(Math.round(noise * positives.length), Math.max(0, positives.length - promised));
  const labelled = [...stream.shuffle(positives).slice(missed), ...stream.shuffle(negatives).slice(0, missed)];
  for (const i of labelled) images[i]!.labels.push(finding);
}

function correlated(stream: Random): number[] {
  const normals = CORRELATED.map(() => stream.normal());
  return CORRELATED.map((row) => row.reduce((sum, weight, k) => sum + weight * normals[k]!, 0));
}
