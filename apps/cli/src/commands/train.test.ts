import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prepare, readNpy, writePhantom } from '@cxr-lens/data';
import { sixteenBitPng } from '@cxr-lens/data/testing';
import { readRun } from '@cxr-lens/model/run-folder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';

const QUICK = ['--preset', 'small', '--set', 'batchSize=8', '--set', 'maxEpochs=1'];
let home: string;
let data: string;

const inside = (...names: string[]): string => path.join(home, ...names);

beforeAll(async () => {
  // every command listens for Ctrl-C until the process ends; here many run in one
  process.setMaxListeners(100);
  home = await mkdtemp(path.join(tmpdir(), 'cxr-lens-train-'));
  await writePhantom({ folder: inside('phantom'), images: 80, seed: 3, size: 96 });
  data = inside('tiny.cxr');
  await prepare({ folder: inside('phantom'), out: data, size: 96 });
});

afterAll(() => rm(home, { recursive: true, force: true }));

describe('cxr-lens train, evaluate, explain, runs', () => {
  it('go from a prepared file to a report and to the explanation of an image', async () => {
    const baseline = await runCli('train', 'baseline', '--data', data, '--out', inside('runs', 'b'), ...QUICK);
    expect([baseline.code, baseline.stdout]).toEqual([0, expect.stringMatching(/^Baseline \(small\) finished after 1 epochs; /)]);
    expect(baseline.stderr).toMatch(/epoch 1: training loss \d+\.\d{4}, validation loss/);

    const from = ['--from', inside('runs', 'b'), '--epsilon', '0.01', '--seed', '2', '--json'];
    const robust = await runCli('train', 'robust', '--data', data, '--out', inside('runs', 'r'), ...QUICK, ...from);
    expect(JSON.parse(robust.stdout)).toMatchObject({
      method: 'robust',
      seed: 2,
      options: { epsilon: 0.01, batchSize: 8 },
      parent: { id: 'b' },
    });

    const both = [inside('runs', 'b'), inside('runs', 'r')];
    const evaluated = await runCli('evaluate', ...both, '--data', data, '--resamples', '20');
    expect([evaluated.code, evaluated.stdout]).toEqual([0, expect.stringContaining('Robust')]);
    expect(existsSync(inside('runs', 'r', 'evaluation', 'tiny', 'report.md'))).toBe(true);
    const table = await runCli('evaluate', ...both, '--data', data, '--resamples', '20', '--json');
    expect(JSON.parse(table.stdout).evaluations[1]).toMatchObject({ auc: { runId: 'r' }, localization: { protocol: { name: 'paper' } } });

    const listed = await runCli('runs', inside('runs'));
    expect(listed.stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 4).join(' '))).toEqual([
      'run method preset state',
      'b Baseline small finished',
      'r Robust small finished',
      '',
    ]);

    const image = inside('phantom', 'images', readdirSync(inside('phantom', 'images'))[0]!);
    const out = inside('explained');
    const explained = await runCli('explain', inside('runs', 'r'), image, '--out', out, '--finding', 'Infiltrate', '--json');
    const { Infiltration } = JSON.parse(explained.stdout).images[0].findings;
    expect(Object.keys(Infiltration)).toEqual(
      expect.arrayContaining(['logit', 'probability', 'operatingPoint', 'decision', 'camThreshold', 'box', 'cam', 'saliency']),
    );
    expect((await readNpy(Infiltration.cam)).shape).toEqual([12, 12]);
    expect((await readNpy(Infiltration.saliency)).shape).toEqual([96, 96]);
    expect(readdirSync(out)).toHaveLength(3);

    await writeFile(
      inside('deep.png'),
      await sixteenBitPng(
        Uint16Array.from({ length: 64 }, (_, i) => i * 60),
        { width: 8, height: 8 },
      ),
    );
    const deep = [inside('runs', 'r'), inside('deep.png'), image, '--out', inside('deep'), '--finding', 'Mass'];
    const words = await runCli('explain', ...deep);
    expect(words.stdout.match(/16-bit image: .*/g)).toEqual([
      '16-bit image: 12 bits in use, the fewest of 8, 10, 12, 14 and 16 that hold it; greatest value 3780',
    ]);
    expect(JSON.parse((await runCli('explain', ...deep, '--json')).stdout).images).toMatchObject([
      { bits: { bits: 12, source: 'guess', greatest: 3780, card: null }, preprocessingVersion: 'v2' },
      { bits: null, preprocessingVersion: 'v1' },
    ]);

    await writeFile(inside('page.png'), '<!doctype html>');
    const partly = await runCli('explain', inside('runs', 'r'), image, inside('page.png'), '--out', out, '--json');
    expect(partly.code).toBe(3);
    expect(JSON.parse(partly.stdout)).toMatchObject({ images: [{ run: 'r' }], failed: [{ code: 'BAD_INPUT' }] });
    expect((await runCli('explain', inside('runs', 'r'), inside('page.png'), '--out', out)).code).toBe(2);

    await mkdir(inside('blocked', `${path.parse(image).name}.Infiltration.overlay.png`), { recursive: true });
    const blocked = await runCli('explain', inside('runs', 'r'), image, '--out', inside('blocked'), '--finding', 'Infiltrate');
    expect([blocked.code, blocked.stderr]).toEqual([2, expect.stringMatching(/UNAVAILABLE: .*blocked: it cannot be written \(EISDIR\)/)]);
  });

  it('stop on Ctrl-C with a checkpoint and go on with --resume', async () => {
    const args = [
      'train',
      'baseline',
      '--data',
      data,
      '--out',
      inside('runs', 'c'),
      '--preset',
      'small',
      '--set',
      'batchSize=2',
      '--set',
      'maxEpochs=1',
    ];
    const child = spawn(process.execPath, [path.resolve(import.meta.dirname, '../../bin/cxr-lens.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString();
      if (/epoch 1: 1\//.test(stderr) && !child.killed) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect([code, stderr]).toEqual([130, expect.stringContaining('CANCELLED: Baseline, epoch 1 was stopped on request.')]);
    expect(readRun(inside('runs', 'c')).state).toBe('cancelled');
    expect((await runCli(...args, '--resume')).code).toBe(0);
    expect(readRun(inside('runs', 'c')).state).toBe('finished');
  });
});

describe('cxr-lens runs', () => {
  it('lists the runs that can be read and names the one that cannot', async () => {
    await mkdir(inside('some', 'broken'), { recursive: true });
    await writeFile(inside('some', 'broken', 'run.json'), '{"format": 1');
    const { code, stdout, stderr } = await runCli('runs', inside('some'));
    expect([code, stdout, stderr]).toEqual([
      3,
      `No runs in ${inside('some')}.\n`,
      expect.stringMatching(/^CORRUPT: .*broken.run\.json is no JSON/),
    ]);
  });
});

describe('wrong input is answered in one sentence, with exit code 2', () => {
  it.each<[string, () => string[], RegExp]>([
    ['an unknown method', () => ['train', 'resnet', '--data', data, '--out', 'x'], /^BAD_INPUT: "resnet" is no method; the methods are /],
    ['an unknown preset', () => ['train', 'baseline', '--data', data, '--out', 'x', '--preset', 'big'], /"big" is no preset/],
    ['no data', () => ['train', 'baseline', '--out', 'x'], /required option '--data <file>' not specified/],
    [
      'an unknown option',
      () => ['train', 'baseline', '--data', data, '--out', 'x', '--set', 'lr=1'],
      /--set lr: no such option; the options are seed, /,
    ],
    [
      'a value that is no number',
      () => ['train', 'baseline', '--data', data, '--out', 'x', '--seed', 'one'],
      /Option seed: .*expected number/,
    ],
    [
      'a data file that is not there',
      () => ['train', 'baseline', '--data', inside('no.cxr'), '--out', 'x', ...QUICK],
      /NOT_FOUND: .*no\.cxr/,
    ],
    [
      'data of another size',
      () => ['train', 'baseline', '--data', data, '--out', inside('x')],
      /preset paper takes 224 x 224\. Prepare them with --size 224/,
    ],
    [
      'nothing to resume',
      () => ['train', 'baseline', '--data', data, '--out', inside('none'), ...QUICK, '--resume'],
      /holds no run to resume/,
    ],
    ['an unknown protocol', () => ['evaluate', 'x', '--data', data, '--protocol', 'mine'], /"mine" is no protocol/],
    ['a folder that is no run', () => ['evaluate', inside('phantom'), '--data', data], /is no run folder: it has no run\.json/],
    ['a negative seed', () => ['evaluate', 'x', '--data', data, '--seed', '-1'], /--seed is "-1"; expected a whole number/],
    ['an unknown finding', () => ['explain', 'x', 'y.png', '--out', 'z', '--finding', 'Fracture'], /Fracture/],
    ['two images of one name', () => ['explain', 'x', 'a/y.png', 'b/y.png', '--out', 'z'], /would write the same files/],
    ['a folder of runs that is not there', () => ['runs', inside('none')], /none does not exist/],
    ['a file instead of a folder of runs', () => ['runs', data], /tiny\.cxr is a file; expected a folder of run folders/],
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await runCli(...args());
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)]);
    expect(stderr.trim()).not.toContain('\n');
    expect(existsSync(inside('x'))).toBe(false);
  });
});

describe('a run whose validation loss exploded', () => {
  // a step far too long: logits of 1e10 and more, still finite
  it('is evaluated and explained like any other, and says so in train, runs and the report', async () => {
    const out = inside('exploded', 'e');
    const trained = await runCli('train', 'nih-star', '--data', data, '--out', out, ...QUICK, '--set', 'learningRate=1');
    expect([trained.code, trained.stdout]).toEqual([
      0,
      expect.stringMatching(/WARNING: The validation loss exploded: \d\.\d{3}e\+\d+ at the best epoch \(1\)/),
    ]);
    const listed = await runCli('runs', inside('exploded'));
    expect(listed.stdout).toMatch(/e\+\d+ EXPLODED .*\ne: The validation loss exploded: /);
    expect(JSON.parse((await runCli('runs', inside('exploded'), '--json')).stdout).runs).toMatchObject([{ id: 'e' }]);

    const evaluated = await runCli('evaluate', out, '--data', data, '--resamples', '20');
    expect([evaluated.code, evaluated.stderr.includes('BAD_INPUT')]).toEqual([0, false]);
    expect(evaluated.stdout).toContain('**NIH*: The validation loss exploded:');
    const maps = inside('exploded', 'e', 'evaluation', 'tiny', 'maps');
    expect(existsSync(path.join(maps, 'scales.json'))).toBe(true);
    const boxes = inside('phantom', 'BBox_List_2017.csv');
    const measured = await runCli('metrics', 'localization', '--maps', maps, '--boxes', boxes, '--json');
    const file = JSON.parse(await readFile(path.join(maps, '..', 'localization.json'), 'utf8'));
    for (const [finding, { meanIou, n }] of Object.entries<{ meanIou: number | null; n: number }>(JSON.parse(measured.stdout).findings)) {
      expect([n, meanIou]).toEqual([file.run.findings[finding].pairs, file.run.findings[finding].meanIou]);
    }

    const image = inside('phantom', 'images', readdirSync(inside('phantom', 'images'))[0]!);
    const explained = await runCli('explain', out, image, '--out', inside('exploded-out'), '--finding', 'Mass', '--json');
    const { logit } = JSON.parse(explained.stdout).images[0].findings.Mass;
    expect(Math.abs(logit)).toBeGreaterThan(1e6);
  });
});
