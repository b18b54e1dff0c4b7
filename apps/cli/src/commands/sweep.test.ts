import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prepare, writePhantom } from '@cxr-lens/data';
import { readRun } from '@cxr-lens/model/run-folder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';

let home: string;
let data: string;
let large: string;
let baseline: string;

const inside = (...names: string[]): string => path.join(home, ...names);

const sweep = (folder: string, ...more: string[]): string[] => ['sweep', '--from', baseline, '--data', data, '--out', folder, ...more];

beforeAll(async () => {
  // every command listens for Ctrl-C until the process ends; here many run in one
  process.setMaxListeners(100);
  home = await mkdtemp(path.join(tmpdir(), 'cxr-lens-sweep-'));
  await writePhantom({ folder: inside('phantom'), images: 80, seed: 3, size: 96 });
  data = (await prepare({ folder: inside('phantom'), out: inside('tiny.cxr'), size: 96 })).path;
  large = (await prepare({ folder: inside('phantom'), out: inside('large.cxr'), size: 224 })).path;
  baseline = inside('runs', 'b');
  const options = ['--preset', 'small', '--set', 'batchSize=8', '--set', 'maxEpochs=1'];
  expect((await runCli('train', 'baseline', '--data', data, '--out', baseline, ...options)).code).toBe(0);
});

afterAll(() => rm(home, { recursive: true, force: true }));

describe('cxr-lens sweep', () => {
  it('trains one run per epsilon, stops on Ctrl-C with a checkpoint, and goes on where it was when it is called again', async () => {
    const args = sweep(inside('sweep'), '--epsilons', '0,0.01', '--set', 'batchSize=4', '--set', 'maxEpochs=1', '--set', 'seed=4');
    const child = spawn(process.execPath, [path.resolve(import.meta.dirname, '../../bin/cxr-lens.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let told = '';
    child.stderr.on('data', (text: Buffer) => {
      told += text.toString();
      if (told.includes('Epsilon 0.01 (2 of 2): Robust, epoch 1: 1/') && !child.killed) child.kill('SIGINT');
    });
    expect([await new Promise((resolve) => child.on('exit', resolve)), told]).toEqual([
      130,
      expect.stringMatching(/^CANCELLED: Robust, epoch 1 was stopped on request\.$/m),
    ]);
    const lines = told.split('\n').filter((line) => !/: \d+\/\d+ \(/.test(line));
    expect(lines.slice(0, 2)).toEqual([
      expect.stringMatching(/^Epsilon 0 \(1 of 2\): epoch 1: training loss \d/),
      'Epsilon 0 (1 of 2): finished after 1 epochs',
    ]);
    const control = readRun(inside('sweep', 'epsilon-0'));
    expect([control.state, readRun(inside('sweep', 'epsilon-0.01')).state]).toEqual(['finished', 'cancelled']);

    const again = await runCli(...args, '--json');
    expect(again.code).toBe(0);
    const { runs } = JSON.parse(again.stdout) as { runs: unknown[] };
    expect(runs).toEqual([control, readRun(inside('sweep', 'epsilon-0.01'))]);
    expect(runs).toMatchObject(
      [0, 0.01].map((epsilon) => ({
        name: `sweep ${epsilon}`,
        method: 'robust',
        preset: 'small',
        state: 'finished',
        seed: 4,
        parent: { id: 'b' },
        options: { epsilon, perturbation: 'linf', batchSize: 4 },
      })),
    );
    expect(again.stderr).not.toMatch(/Epsilon 0 \(1 of 2\): epoch/);
    expect(readdirSync(inside('sweep')).sort()).toEqual(['epsilon-0', 'epsilon-0.01']);
  });

  it('goes on by the stop rule that it was begun with before there was `patienceSteps`', async () => {
    const folder = inside('old-sweep');
    await cp(inside('sweep'), folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      const { options, ...run } = readRun(path.join(folder, name));
      const { patienceSteps: _, ...old } = options;
      writeFileSync(path.join(folder, name, 'run.json'), JSON.stringify({ ...run, options: old }));
    }
    const args = ['--set', 'batchSize=4', '--set', 'maxEpochs=1', '--set', 'seed=4', '--json'];
    const { code, stdout } = await runCli(...sweep(folder, '--epsilons', '0.01,0.02', ...args));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ runs: [{ options: { patienceSteps: 0 } }, { options: { patienceSteps: 0 } }] });
  });

  it('has a control: at epsilon 0 half of every batch is "perturbed" by nothing', () => {
    const [clean, perturbed] = ['epsilon-0', 'epsilon-0.01'].map((name) => readRun(inside('sweep', name)).epochs[0]!);
    // the same images in two batches of another kind: float32 sums in another order
    expect(clean!.perturbedValidationLoss! / clean!.validationLoss).toBeCloseTo(1, 6);
    expect(clean!.probe).toMatchObject({ overfitted: false, own: clean!.probe!.clean, strong: clean!.probe!.clean });
    expect(perturbed!.perturbedValidationLoss).toBeGreaterThan(perturbed!.validationLoss);
  });

  it.each<[string, (folder: string) => string[], string]>([
    ['other options', (folder) => sweep(folder), 'was started with seed 4, not 0'],
    ['another Baseline', (folder) => sweep(folder, '--from', inside('runs', 'other')), 'was started from another run than b'],
    ['a run of another method', () => sweep(inside('mixed')), 'holds a baseline run, not one of a sweep'],
  ])('does not go on with %s', async (_what, args, message) => {
    await cp(baseline, inside('runs', 'other'), { recursive: true });
    const other = { ...readRun(baseline), weightsSha256: 'a'.repeat(64) };
    writeFileSync(inside('runs', 'other', 'run.json'), JSON.stringify(other));
    await cp(baseline, inside('mixed', 'epsilon-0'), { recursive: true });
    const { code, stdout, stderr } = await runCli(...args(inside('sweep')));
    const folder = message.startsWith('holds') ? 'mixed' : 'sweep';
    expect([code, stdout, stderr]).toEqual([2, '', `CONFLICT: ${inside(folder, 'epsilon-0')} ${message}: sweep into another folder.\n`]);
  });
});

const EXPECTED = 'expected numbers from 0 to 1 in pixels of [0, 1], each once, for example 0,0.005,0.01';

describe('wrong input is answered in one sentence before anything starts', () => {
  it.each<[string, () => string[], string | (() => string)]>([
    ['a negative epsilon', () => ['--epsilons', '0,-0.01'], `Epsilon -0.01 is outside of [0, 1]; ${EXPECTED}.`],
    ['one beyond white', () => ['--epsilons', '1.5'], `Epsilon 1.5 is outside of [0, 1]; ${EXPECTED}.`],
    ['a word', () => ['--epsilons', '0,small'], `Epsilon "small" is no number; ${EXPECTED}.`],
    ['a gap', () => ['--epsilons', '0,,1'], `Epsilon "" is no number; ${EXPECTED}.`],
    ['two equal ones', () => ['--epsilons', '0.01,0,1e-2'], `Epsilon 0.01 is given twice; ${EXPECTED}.`],
    ['none', () => ['--epsilons', ''], `No epsilon to train with; ${EXPECTED}.`],
    [
      'epsilon as an option',
      () => ['--set', 'epsilon=0.1'],
      'Option epsilon: every run of a sweep has its own; put it into the list of epsilons.',
    ],
    [
      'a perturbation without epsilon',
      () => ['--set', 'perturbation=spatial'],
      'Option perturbation: spatial has no epsilon, so that all runs would be one; use linf, l2 or noise.',
    ],
    ['an unknown option', () => ['--set', 'patience=0'], 'Option patience: Too small: expected number to be >=1.'],
    [
      'a Baseline that has not converged',
      () => ['--from', inside('runs', 'unfinished')],
      () => `${inside('runs', 'unfinished')} has not converged (it is cancelled); finish its training first.`,
    ],
    [
      'a run that is no Baseline',
      () => ['--from', inside('sweep', 'epsilon-0')],
      () => `${inside('sweep', 'epsilon-0')} is a robust run; robust starts from a baseline run.`,
    ],
    [
      'data of another preset',
      () => ['--data', large],
      () => `${large} holds images of 224 x 224; preset small takes 96 x 96. Prepare them with --size 96.`,
    ],
  ])('%s', async (_what, args, message) => {
    await cp(baseline, inside('runs', 'unfinished'), { recursive: true });
    writeFileSync(inside('runs', 'unfinished', 'run.json'), JSON.stringify({ ...readRun(baseline), state: 'cancelled' }));
    const { code, stdout, stderr } = await runCli(...sweep(inside('none'), ...args()));
    expect([code, stdout, stderr]).toEqual([2, '', `BAD_INPUT: ${typeof message === 'string' ? message : message()}\n`]);
    expect(existsSync(inside('none'))).toBe(false);
  });

  it('a Baseline that is not there', async () => {
    const from = inside('runs', 'nowhere');
    const { code, stderr } = await runCli(...sweep(inside('none'), '--from', from));
    expect([code, stderr]).toEqual([2, `NOT_FOUND: ${from} is no run folder: it has no run.json.\n`]);
  });
});
