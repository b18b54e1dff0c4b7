import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { BOXED_FINDINGS, decodeImage, encodeRgbPng, openPrepared, overlayCam } from '@cxr-lens/data';
import { scaleTo255, upsampleBilinear } from '@cxr-lens/eval';
import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { type Evaluation, evaluateRun } from './evaluate.ts';
import { explainImages } from './explain-images.ts';
import { loadRun } from './load-run.ts';
import { reportPictures } from './report/pictures.ts';
import { writeReport } from './report.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';
import { trainRun } from './train.ts';

let folder: string;
let data: string;
let nih: string;
let baseline: Evaluation;
let robust: Evaluation;
let stronger: Evaluation;

const inside = (name: string): string => path.join(folder, name);
const read = (evaluation: Evaluation, name: string): Buffer => readFileSync(path.join(evaluation.folder, name));
const svg = (evaluation: Evaluation, name: string): string => read(evaluation, name).toString('utf8');
const pictures = (figure: string): string[] => [...figure.matchAll(/<image [^>]*href="([^"]+)"/g)].map((match) => match[1]!);
const texts = (figure: string): string[] => [...figure.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map((match) => match[1]!);

beforeAll(async () => {
  folder = await temporaryFolder();
  ({ prepared: data, nih } = await tinyData(folder));
  const train = async (name: string, method: 'baseline' | 'robust', epsilon?: number): Promise<Evaluation> => {
    const options = { batchSize: 8, maxEpochs: 1, ...(epsilon === undefined ? {} : { epsilon }) };
    const from = method === 'robust' ? { from: inside('b') } : {};
    await trainRun({ method, preset: 'small', data, out: inside(name), options, ...from });
    return evaluateRun({ run: inside(name), data, resamples: 20 });
  };
  baseline = await train('b', 'baseline');
  robust = await train('r', 'robust');
  stronger = await train('s', 'robust', 0.02);
});

/** IoU of every Mass pair, mean over its folds. */
function ious({ localization }: Evaluation): Map<string, number> {
  return new Map(
    localization.run.findings.Mass!.scored.map(({ image, ious: own }) => {
      const known = own.filter((value) => value !== null);
      return [image, known.reduce((total, value) => total + value, 0) / known.length];
    }),
  );
}

/** The image at the lower median of `values`, the first by name among equals. */
function medianOf(values: ReadonlyMap<string, number>): string {
  const sorted = [...values.values()].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)]!;
  return [...values.keys()].sort().find((image) => values.get(image) === median)!;
}

describe('an illustrated report', () => {
  it('has Fig. 1 from the maps of every network, on the image at the median of the difference, and says so', async () => {
    const before = tf.memory().numTensors;
    const markdown = await writeReport([stronger, baseline, robust], { data });
    expect(tf.memory().numTensors).toBe(before);

    const figure = svg(robust, 'explanations.svg');
    const [of, minus] = [ious(robust), ious(baseline)];
    const name = medianOf(new Map([...of].map(([image, iou]) => [image, iou - minus.get(image)!])));
    expect(texts(figure)).toContain(`Mass, ${name}`);
    expect(texts(figure).filter((text) => /^(Baseline|Robust)/.test(text))).toEqual(['Baseline', 'Robust', 'Robust, epsilon 0.02']);
    expect(pictures(figure)).toHaveLength(7);
    const rule =
      'Chosen by rule, not by eye: of every pathology the boxed test image whose IoU by Robust minus that by Baseline is the median';
    expect(texts(figure).join(' ')).toContain(rule);
    expect(markdown).toContain(rule);
    expect(texts(figure)).toContain(`IoU ${of.get(name)!.toFixed(2)}`);

    const loaded = loadRun(inside('r'));
    const bytes = readFileSync(path.join(nih, 'images', name));
    const [explained] = await explainImages(loaded, { images: [{ bytes, where: name }], findings: ['Mass'] });
    loaded.dispose();
    const { cam } = explained!.findings.Mass!;
    const map = scaleTo255(upsampleBilinear(cam.values, cam.height, cam.width, 96, 96));
    const overlay = await encodeRgbPng(overlayCam(explained!.image, { map }));
    expect(pictures(figure)[3]).toBe(`data:image/png;base64,${overlay.toString('base64')}`);
  });

  it('has Fig. 4: the same Mass over growing epsilon, Baseline first', () => {
    const [one, four] = [svg(robust, 'explanations.svg'), svg(robust, 'epsilons.svg')];
    expect(texts(four).filter((text) => text.startsWith('\u03B5'))).toEqual(['\u03B5 = 0', '\u03B5 = 0.005', '\u03B5 = 0.02']);
    expect(texts(four).join(' ')).toContain('Mass as Robust shows it after training with each epsilon; 0 is Baseline.');
    // image, then the saliencies of Baseline, Robust and Robust at 0.02
    expect(pictures(four)).toEqual([0, 2, 4, 6].map((index) => pictures(one)[index]));
    expect(new Set(pictures(four)).size).toBe(4);
  });

  it('lies as SVG and PNG in the folder of every run, two pixels for each unit, and is the same again', async () => {
    const names = readdirSync(robust.folder).filter((name) => /\.(svg|png)$/.test(name));
    expect(names).toEqual(['auc', 'epsilons', 'explanations', 'localization'].flatMap((name) => [`${name}.png`, `${name}.svg`]));
    const before = names.map((name) => read(robust, name));
    for (const [index, name] of names.entries()) {
      expect(read(baseline, name).equals(before[index]!)).toBe(true);
      if (!name.endsWith('.png')) continue;
      const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg(robust, name.replace('.png', '.svg')))!.map(Number);
      const decoded = await decodeImage(before[index]!, name);
      expect([decoded.width, decoded.height]).toEqual([2 * width!, 2 * height!]);
      expect(new Set(decoded.pixels).size).toBeGreaterThan(50);
    }
    await writeReport([stronger, baseline, robust], { data });
    for (const [index, name] of names.entries()) expect(read(robust, name).equals(before[index]!)).toBe(true);
  });

  it('of one run alone takes the median of its IoU, and leaves no figure of an earlier report behind', async () => {
    const markdown = await writeReport([stronger], { data });
    const figure = svg(stronger, 'explanations.svg');
    expect(pictures(figure)).toHaveLength(3);
    expect(texts(figure)).toContain(`Mass, ${medianOf(ious(stronger))}`);
    expect(markdown).toContain('whose IoU by Robust, epsilon 0.02 is the median');
    for (const name of ['epsilons.svg', 'epsilons.png', 'comparison.csv']) expect(existsSync(path.join(stronger.folder, name))).toBe(false);
    expect(existsSync(path.join(robust.folder, 'epsilons.svg'))).toBe(true);
    const left = ['auc', 'explanations', 'localization'].flatMap((name) => [`${name}.png`, `${name}.svg`]);
    expect(readdirSync(stronger.folder).filter((name) => /\.(svg|png)$/.test(name))).toEqual(left);
    expect(existsSync(path.join(stronger.folder, 'scores.csv'))).toBe(true);
  });

  it('stops on request and before its first write', async () => {
    const before = svg(robust, 'report.md');
    const tensors = tf.memory().numTensors;
    await expect(writeReport([robust], { data, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
    const beforeWrite = (): Promise<void> => Promise.reject(new Error('stale attempt'));
    await expect(writeReport([robust], { data, beforeWrite })).rejects.toThrow('stale attempt');
    expect(svg(robust, 'report.md')).toBe(before);
    expect(tf.memory().numTensors).toBe(tensors);
  });
});

describe('the pictures of a report', () => {
  const withRun = (evaluation: Evaluation, run: Partial<Evaluation['run']>): Evaluation => ({
    ...evaluation,
    run: { ...evaluation.run, ...run },
  });
  const columnsOf = async (evaluations: Evaluation[]): Promise<string[]> =>
    (await reportPictures(evaluations, { data })).explanations!.rows[0]!.explanations.map(({ label }) => label);

  it('show the first run of a method and say so, and no network whose evidence is no CAM', async () => {
    const again = withRun(robust, { name: 'again', seed: 1 });
    const patches = withRun(stronger, { method: 'supervised' });
    expect(await columnsOf([patches, baseline, robust, again])).toEqual(['Baseline', 'Robust (r)']);
    const { explanations } = await reportPictures([baseline, robust, again], { data });
    expect(explanations!.rule).toMatch(/Of several runs of a method: its first\.$/);
    expect(await reportPictures([patches], { data })).toEqual({});
  });

  it('take a run trained with epsilon 0 before Baseline, and show no single epsilon', async () => {
    const control = withRun(stronger, { options: { ...stronger.run.options, epsilon: 0 } });
    const { epsilons } = await reportPictures([robust, baseline, control], { data });
    expect(epsilons!.rows[0]!.saliencies.map(({ epsilon }) => epsilon)).toEqual([0, 0.005]);
    expect(epsilons!.rule).not.toContain('Baseline.');
    expect((await reportPictures([robust, baseline], { data })).epsilons).toBeUndefined();
  });

  it('are none without a scored box', async () => {
    const { localization } = baseline;
    const findings = { ...localization.run.findings };
    for (const finding of BOXED_FINDINGS) findings[finding] = { ...findings[finding], scored: [] };
    const unboxed = { ...baseline, localization: { ...localization, run: { ...localization.run, findings } } };
    expect(await reportPictures([unboxed], { data })).toEqual({});
  });

  it('lie where the box of the image is', async () => {
    const { explanations } = await reportPictures([robust], { data });
    const prepared = await openPrepared(data);
    const [row] = explanations!.rows;
    expect(row!.box).toEqual(prepared.images.find(({ name }) => name === row!.name)!.boxes[0]!.box);
    prepared.close();
    expect(explanations!.synthetic).toBe(false);
  });
});
