import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BOXED_FINDINGS, decodeSquashed, encodeGreyPng, FINDINGS, openPrepared, type Progress, readNpy } from '@cxr-lens/data';
import { probability } from '@cxr-lens/eval';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { tf } from './engine/tensorflow.ts';
import { type EvaluateRequest, type Evaluation, evaluateRun } from './evaluate.ts';
import { evaluationFiles, readEvaluation } from './evaluation-folder.ts';
import { explainEach, explainImages, type ImageRequest } from './explain-images.ts';
import { inferenceOf } from './inference.ts';
import { iousFromMaps, readIous } from './ious.ts';
import { loadRun } from './load-run.ts';
import { writeReport } from './report.ts';
import { readCard, readRun, runFiles, writeCard, writeRun } from './run-folder.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';
import { trainRun } from './train.ts';

let run: string;
let data: string;
let nih: string;
let small: string;
let evaluation: Evaluation;

const evaluate = (changes: Partial<EvaluateRequest> = {}): Promise<Evaluation> => evaluateRun({ run, data, resamples: 50, ...changes });
const withoutDate = (file: object): object => ({ ...file, createdAt: '' });

beforeAll(async () => {
  const folder = await temporaryFolder();
  run = path.join(folder, 'run');
  ({ prepared: data, nih } = await tinyData(folder));
  small = (await tinyData(path.join(folder, 'small'), { size: 32 })).prepared;
  await trainRun({ method: 'baseline', preset: 'small', data, out: run, options: { batchSize: 8, maxEpochs: 4 } });
  evaluation = await evaluate();
});

describe('an evaluation', () => {
  it('writes scores, maps of the boxed pairs, AUC and localisation', async () => {
    expect(readdirSync(evaluation.folder).sort()).toEqual([
      ...['auc.json', 'ious-centre.npy', 'ious.json', 'ious.npy', 'localization.json', 'maps', 'scores.csv'],
    ]);
    const lines = readFileSync(path.join(evaluation.folder, 'scores.csv'), 'utf8').trim().split('\n');
    expect(lines[0]).toBe(`Image Index,${FINDINGS.join(',')}`);
    expect(lines).toHaveLength(21);
    const maps = readdirSync(path.join(evaluation.folder, 'maps'));
    expect(maps).toHaveLength(10);
    expect(maps[0]).toBe('00000042_000.Mass.npy');
    expect((await readNpy(path.join(evaluation.folder, 'maps', maps[0]!))).shape).toEqual([12, 12]);
    const { datasetHash } = evaluation.auc.data;
    const files = evaluationFiles(run, { path: data, datasetHash });
    expect(readEvaluation(files)).toEqual({ auc: evaluation.auc, localization: evaluation.localization });
  });

  it('keeps the IoUs of every boxed pair and of the centre prior, which verdicts are computed from', async () => {
    const { file, run: own, centre } = readIous(evaluation.folder)!;
    expect(own).toEqual(evaluation.ious);
    expect(file).toMatchObject({ runId: 'run', weightsSha256: evaluation.auc.weightsSha256, data: evaluation.auc.data });
    expect(file.patients).toEqual(['42', '44', '46', '48', '50', '52', '54', '56', '58', '60']);
    const npy = await readNpy(path.join(evaluation.folder, 'ious.npy'));
    expect(npy.shape).toEqual([10, 256]);
    for (const [table, result] of [
      [own, evaluation.localization.run],
      [centre, evaluation.localization.controls.centre],
    ] as const) {
      const { scored, foldThresholds } = result.findings['Mass']!;
      expect(scored).toHaveLength(10);
      for (const [row, { image, ious }] of scored.entries()) {
        const pair = table.pairs[row]!;
        expect([pair.image, pair.finding]).toEqual([image, 'Mass']);
        for (const [fold, iou] of ious.entries()) if (iou !== null) expect(pair.ious[foldThresholds[fold]!]).toBe(iou);
      }
    }
  });

  it('gives the same IoUs from its maps, and none from other maps or without one', async () => {
    const { localization } = evaluation;
    const opened = await openPrepared(data);
    const fromMaps = () => iousFromMaps(evaluation.folder, { run: evaluation.run, localization, data: opened });
    expect(fromMaps()).toEqual(evaluation.ious);
    const map = path.join(evaluation.folder, 'maps', '00000042_000.Mass.npy');
    const bytes = readFileSync(map);
    writeFileSync(map, readFileSync(map.replace('42', '44')));
    expect(fromMaps()).toBeNull();
    rmSync(map);
    expect(fromMaps()).toBeNull();
    writeFileSync(map, bytes);
    opened.close();
  });

  it('refuses IoUs that are not those of its index, and has none where an earlier version wrote it', () => {
    const copy = path.join(path.dirname(run), 'copy');
    cpSync(evaluation.folder, copy, { recursive: true });
    cpSync(path.join(copy, 'ious-centre.npy'), path.join(copy, 'ious.npy'));
    expect(() => readIous(copy)).toThrow(/ious\.npy is not the file that ious\.json describes/);
    rmSync(path.join(copy, 'ious.npy'));
    expect(() => readIous(copy)).toThrow(/ious\.npy is missing; evaluate the run again/);
    rmSync(path.join(copy, 'ious.json'));
    expect(readIous(copy)).toBeNull();
  });

  it('has the AUC of the test images with both intervals, and says why there is none', () => {
    expect(evaluation.auc.findings['Mass']).toMatchObject({ positives: 10, negatives: 10 });
    expect(evaluation.auc.findings['Hernia']).toMatchObject({ auc: null, reason: 'no positive image', bootstrap: null });
    expect(evaluation.auc.mean).toMatchObject({ auc: evaluation.auc.findings['Mass']!.auc, findings: 1 });
  });

  it('has a curve for each boxed finding, of the run and of the controls', () => {
    const { run: own, controls } = evaluation.localization;
    for (const { findings } of [own, ...Object.values(controls)]) expect(Object.keys(findings)).toEqual([...BOXED_FINDINGS]);
    expect(own.findings['Mass']).toMatchObject({ pairs: 10 });
    expect(own.findings['Mass']!.points).toHaveLength(7);
    expect(controls.bestReachable.findings['Mass']!.meanIou).toBeGreaterThan(0.7);
  });

  it('puts the CAM thresholds with their protocol into the card, and the run still loads', () => {
    const { camThresholds } = readCard(run);
    expect(camThresholds).toMatchObject({ protocol: { name: 'paper' }, datasetHash: evaluation.auc.data.datasetHash, synthetic: false });
    expect(camThresholds!.values['Mass']).toBe(evaluation.localization.run.findings['Mass']!.threshold);
    loadRun(run).dispose();
  });

  it('on other data leaves the card its thresholds; on its own data replaces them, unless a value would be lost', async () => {
    const [own, card] = [readRun(run), readCard(run)];
    const files = runFiles(run);
    const mass = card.camThresholds!.values['Mass']!;
    const other = { ...card.camThresholds!, datasetHash: 'other', values: { ...card.camThresholds!.values, Mass: mass + 1 } };
    const massAfter = async (camThresholds: typeof other): Promise<number | null> => {
      writeCard(files, { ...card, camThresholds });
      await evaluate();
      return readCard(run).camThresholds!.values['Mass'];
    };
    writeRun(files, { ...own, data: { ...own.data!, datasetHash: 'another' } });
    expect(await massAfter(other)).toBe(mass + 1);
    writeRun(files, own);
    expect(await massAfter({ ...other, values: { ...other.values, Nodule: 100 } })).toBe(mass + 1);
    expect(await massAfter(other)).toBe(mass);
    expect(readCard(run)).toEqual(card);
  });

  it('keeps no map of another evaluation, and goes beside one on other data in a file of the same name', async () => {
    const stray = path.join(evaluation.folder, 'maps', '00000001_000.Mass.npy');
    writeFileSync(stray, '');
    await evaluate();
    expect(existsSync(stray)).toBe(false);
    const { datasetHash } = evaluation.auc.data;
    expect(evaluationFiles(run, { path: data, datasetHash }).folder).toBe(evaluation.folder);
    expect(evaluationFiles(run, { path: data, datasetHash: '0123456789' }).folder).toBe(`${evaluation.folder}-01234567`);
  });

  it('is the same again, also after it was stopped', async () => {
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const stopped = evaluate({ signal: controller.signal, onProgress: ({ what }) => what.endsWith('boxed images') || controller.abort() });
    await expect(stopped).rejects.toThrow(/was stopped on request/);
    const again = await evaluate();
    expect(withoutDate(again.auc)).toEqual(withoutDate(evaluation.auc));
    expect(withoutDate(again.localization)).toEqual(withoutDate(evaluation.localization));
    expect(existsSync(path.join(evaluation.folder, 'parts'))).toBe(false);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('writes one report of the runs with its figures', async () => {
    const markdown = await writeReport([evaluation], { data });
    expect(markdown).toContain('Baseline');
    expect(markdown).toContain('cxr-lens evaluate run --data FILE');
    expect(readFileSync(path.join(evaluation.folder, 'report.md'), 'utf8')).toBe(markdown);
    expect(readdirSync(evaluation.folder).filter((name) => name.endsWith('.svg')).length).toBeGreaterThan(0);
  });

  it('refuses data of another size and a folder without a run', async () => {
    await expect(evaluate({ data: small })).rejects.toThrow(/holds images of 32 x 32; run run takes 96 x 96\. Prepare them with --size 96/);
    await expect(evaluate({ run: nih })).rejects.toThrow(/is no run folder/);
  });
});

describe('an explanation', () => {
  const bytes = (name: string): Uint8Array => readFileSync(path.join(nih, 'images', name));

  it('agrees with the evaluation: same logit, same map', async () => {
    const loaded = loadRun(run);
    const name = '00000042_000.png';
    const before = tf.memory().numTensors;
    const [explained] = await explainImages(loaded, { images: [{ bytes: bytes(name), where: name }], findings: ['Mass', 'Hernia'] });
    expect(tf.memory().numTensors).toBe(before);
    loaded.dispose();
    const mass = explained!.findings['Mass']!;
    expect(Object.keys(explained!.findings)).toEqual(['Mass', 'Hernia']);
    const row = readFileSync(path.join(evaluation.folder, 'scores.csv'), 'utf8')
      .split('\n')
      .find((line) => line.startsWith(name))!;
    expect(mass.logit).toBeCloseTo(Number(row.split(',')[1 + FINDINGS.indexOf('Mass')]), 4);
    const stored = await readNpy(path.join(evaluation.folder, 'maps', '00000042_000.Mass.npy'));
    // float16 keeps eleven bits
    const scale = Math.max(...mass.cam.values.map(Math.abs));
    for (const [cell, value] of mass.cam.values.entries()) expect(Math.abs(stored.data[cell]! - value) / scale).toBeLessThan(1e-3);
    expect([mass.cam.height, mass.saliency.height, mass.saliency.values.length]).toEqual([12, 96, 96 * 96]);
    expect(mass).toMatchObject({ probability: null, decision: null, operatingPoint: null });
    expect(mass.probabilityReason).toMatch(/under 10/);
    expect(explained!.findings['Hernia']).toMatchObject({ camThreshold: null, box: null });
  });

  it('has a CAM whose mean and the bias make the logit', async () => {
    const loaded = loadRun(run);
    const [explained] = await explainImages(loaded, { images: [{ bytes: bytes('00000041_000.png'), where: 'x' }] });
    const bias = loaded.network.parameters.get('network.head.bias')!.dataSync();
    loaded.dispose();
    expect(Object.keys(explained!.findings)).toEqual([...FINDINGS]);
    for (const [index, finding] of FINDINGS.entries()) {
      const { cam, logit } = explained!.findings[finding]!;
      const mean = cam.values.reduce((sum, value) => sum + value, 0) / cam.values.length;
      expect(mean + bias[index]!).toBeCloseTo(logit, 3);
    }
  });

  it('has probability and decision where the card is calibrated, and a box in pixels of the given image', async () => {
    const loaded = loadRun(run);
    const platt = { a: 1, b: -0.5 };
    loaded.card.calibration['Mass'] = {
      platt,
      operatingPoint: { probability: 0.5, logit: -1e9 },
      reason: null,
      positives: 20,
      negatives: 20,
    };
    const { pixels } = await decodeSquashed(bytes('00000042_000.png'), 96, 'x');
    const wide = {
      width: 192,
      height: 96,
      pixels: Uint8Array.from({ length: 192 * 96 }, (_, i) => pixels[(Math.floor(i / 192) * 192 + (i % 192)) >> 1]!),
    };
    const [explained] = await explainImages(loaded, { images: [{ bytes: await encodeGreyPng(wide), where: 'wide' }], findings: ['Mass'] });
    loaded.dispose();
    const { logit, probability: found, decision, box } = explained!.findings['Mass']!;
    expect(found).toBe(probability(logit, platt));
    expect(decision).toBe(true);
    expect(box!.x + box!.width).toBeLessThanOrEqual(192);
    expect(box!.y + box!.height).toBeLessThanOrEqual(96);
  });

  it('refuses bytes that are no image', async () => {
    const loaded = loadRun(run);
    const html = new TextEncoder().encode('<!doctype html><p>Not found</p>');
    await expect(explainImages(loaded, { images: [{ bytes: html, where: 'page.png' }] })).rejects.toThrow(/page\.png/);
    loaded.dispose();
  });

  const collect = async <Outcome>(outcomes: AsyncIterable<Outcome>) => {
    const found: Outcome[] = [];
    for await (const outcome of outcomes) found.push(outcome);
    return found;
  };

  it('of several images shares the passes for logits and maps, and says what it says of each alone', async () => {
    const loaded = loadRun(run);
    const evidence = vi.spyOn(inferenceOf(loaded.network), 'evidence');
    const request = (name: string, findings: ImageRequest['findings']): ImageRequest => ({ bytes: bytes(name), where: name, findings });
    const images = [
      request('00000042_000.png', ['Mass']),
      { bytes: new TextEncoder().encode('<!doctype html>'), where: 'page.png', findings: FINDINGS },
      request('00000041_000.png', ['Hernia', 'Mass', 'Edema']),
      request('00000042_000.png', ['Nodule']),
    ];
    const before = tf.memory().numTensors;
    const outcomes = await collect(explainEach(loaded, images));
    expect(tf.memory().numTensors).toBe(before);
    expect(evidence.mock.calls.map(([pixels]) => pixels.length / 96 ** 2)).toEqual([3]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'BAD_INPUT', message: expect.stringMatching(/page\.png/) } });
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') continue;
      const { findings, ...image } = images[index]!;
      const [alone] = await explainImages(loaded, { images: [image], findings });
      expect(outcome.value).toMatchObject({ where: image.where, image: { width: alone!.image.width, height: alone!.image.height } });
      expect(Object.keys(outcome.value.findings)).toEqual([...findings]);
      for (const finding of findings) {
        const { logit, cam, saliency } = outcome.value.findings[finding]!;
        const expected = alone!.findings[finding]!;
        // Sums in another order for eight images than for one.
        expect(Math.abs(logit - expected.logit)).toBeLessThan(1e-4);
        const scale = Math.max(...expected.cam.values.map(Math.abs));
        for (const [cell, value] of cam.values.entries()) expect(Math.abs(value - expected.cam.values[cell]!) / scale).toBeLessThan(1e-4);
        expect(saliency).toEqual(expected.saliency);
      }
    }
    evidence.mockClear();
    const many = await collect(explainEach(loaded, Array<ImageRequest>(33).fill(images[0]!)));
    expect(evidence.mock.calls.map(([pixels]) => pixels.length / 96 ** 2)).toEqual([32, 1]);
    expect(many.every(({ status }) => status === 'fulfilled')).toBe(true);
    loaded.dispose();
  });

  it('is stopped between two images, and told of one by one', async () => {
    const loaded = loadRun(run);
    const image = { bytes: bytes('00000042_000.png'), where: 'x' };
    const controller = new AbortController();
    const outcomes = explainEach(loaded, Array<ImageRequest>(3).fill({ ...image, findings: ['Mass'] }), controller.signal);
    expect((await outcomes.next()).value).toMatchObject({ status: 'fulfilled' });
    controller.abort();
    await expect(outcomes.next()).rejects.toMatchObject({ code: 'CANCELLED' });
    const told: Progress[] = [];
    const onProgress = (progress: Progress): void => void told.push(progress);
    await explainImages(loaded, { images: [image, image], findings: ['Mass'], onProgress });
    expect(told.map(({ done, total }) => [done, total])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    loaded.dispose();
  });
});
