import type { PreparedData, PreparedImage } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { defaultOptions, type Run } from './spec/index.ts';
import { checkBoxes, scoredRows, trainedTestImages, trainingRows } from './supervision.ts';

const BOX = { finding: 'Mass', box: { x: 0, y: 0, width: 100, height: 100 } } as const;

const image = (split: PreparedImage['split'], patient: number, boxed = false): Pick<PreparedImage, 'split' | 'patientId' | 'boxes'> => ({
  split,
  patientId: String(patient),
  boxes: boxed ? [BOX] : [],
});

/** Two training patients, one to validate, and test patients 11 ... 30 with two images each, of which the first is boxed up to patient 22. */
const images = [
  image('train', 1),
  image('train', 2),
  image('validation', 3),
  ...Array.from({ length: 20 }, (_, index) => 11 + index).flatMap((patient) => [
    image('test', patient, patient <= 22),
    image('test', patient),
  ]),
];

function dataOf(own: readonly Pick<PreparedImage, 'split' | 'patientId' | 'boxes'>[]): PreparedData {
  const data = {
    path: 'data.cxr',
    datasetHash: 'own',
    images: own,
    pixels: (row: number) => new TextEncoder().encode(`image ${row}`),
    rows: (split: PreparedImage['split']) => own.flatMap((one, row) => (one.split === split ? [row] : [])),
  };
  return data as unknown as PreparedData;
}

const data = dataOf(images);
const patients = (rows: readonly number[]): Set<string> => new Set(rows.map((row) => images[row]!.patientId));

function runOf(fold: number, method: Run['method'] = 'supervised'): Pick<Run, 'method' | 'options' | 'trainedTestImages'> {
  const run = { method, options: { ...defaultOptions(method), fold } };
  return { ...run, trainedTestImages: trainedTestImages(run, data) };
}

describe('the images of a Supervised fold', () => {
  it.each([0, 1, 2, 3, 4])('fold %i: only boxed test images are trained on, and no image of their patients is scored', (fold) => {
    const run = runOf(fold);
    const trained = trainingRows(run, data);
    const { rows: scored, excludedPatients } = scoredRows(run, data);
    const [seen, held] = [patients(trained), patients(scored)];
    expect([...held].filter((patient) => seen.has(patient))).toEqual([]);
    expect(trained.slice(0, 2)).toEqual([0, 1]);
    expect(trained.some((row) => images[row]!.split === 'validation')).toBe(false);
    expect(new Set(trained).size).toBe(trained.length);
    expect(trained.slice(2).every((row) => images[row]!.boxes.length > 0)).toBe(true);
    // two images a patient, of which the boxed one is trained on
    expect(2 * (trained.length - 2) + scored.length).toBe(40);
    expect(excludedPatients).toBe(seen.size - 2);
    // 12 boxed patients in five parts: two or three are held out, and the eight that nobody boxed are always scored.
    expect([9, 10]).toContain(excludedPatients);
    for (let patient = 23; patient <= 30; patient++) expect(held.has(String(patient))).toBe(true);
  });

  it('five folds hold every boxed patient out once, whatever the seed of the run', () => {
    const heldOut = (seed: number): string[] =>
      [0, 1, 2, 3, 4].flatMap((fold) => {
        const { method, options } = runOf(fold);
        const { rows } = scoredRows({ trainedTestImages: trainedTestImages({ method, options: { ...options, seed } }, data) }, data);
        return [...patients(rows.filter((row) => images[row]!.boxes.length > 0))];
      });
    expect(heldOut(0)).toHaveLength(12);
    expect(new Set(heldOut(0)).size).toBe(12);
    expect(heldOut(7)).toEqual(heldOut(0));
  });

  it('on other images, and of another method, nothing is left out', () => {
    const other = { ...data, pixels: (row: number) => new TextEncoder().encode(`another ${row}`) };
    expect(scoredRows(runOf(0), other)).toEqual({ rows: data.rows('test'), excludedPatients: 0 });
    expect(scoredRows(runOf(0, 'baseline'), data)).toEqual({ rows: data.rows('test'), excludedPatients: 0 });
    expect(trainingRows(runOf(0, 'baseline'), data)).toEqual([0, 1]);
  });
});

describe('data without boxes', () => {
  const four = images.filter(({ patientId }) => Number(patientId) < 15);
  it.each([
    ['none', images.filter(({ split }) => split !== 'test'), /^data\.cxr has no test image with a box; supervised trains on the boxes/],
    [
      'four patients',
      four,
      /^data\.cxr has boxed test images of 4 patients alone; .* needs at least 5\. Prepare the data with its box list\.$/,
    ],
  ])('%s: is refused', (_name, own, message) => {
    expect(() => checkBoxes('supervised', dataOf(own))).toThrow(message);
    expect(() => checkBoxes('baseline', dataOf(own))).not.toThrow();
  });
});
