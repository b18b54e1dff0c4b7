import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PreparedData } from '@cxr-lens/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';
import { madeData, type Stored, store as storeRun, WEIGHTS } from './testing.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-compare-'));
const inside = (...names: string[]): string => path.join(folder, ...names);
const file = inside('tiny.cxr');
let data: PreparedData;

const run = (...args: string[]): ReturnType<typeof runCli> => runCli('compare', ...args);
const store = (name: string, stored: Stored): string => storeRun(data, inside(name), stored);

afterAll(() => {
  data.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('wrong input to compare is answered in one sentence, with exit code 2', () => {
  beforeAll(async () => {
    data = await madeData(folder, 120);
    store('b', { skill: 0.25 });
    store('r', { skill: 1, method: 'robust', weights: WEIGHTS.r });
    mkdirSync(inside('empty'));
    store('unevaluated', { skill: 1 });
    rmSync(inside('unevaluated', 'evaluation'), { recursive: true });
    store('other-data', { skill: 1, evaluation: 'other', datasetHash: 'f'.repeat(64) });
    store('same-name', { skill: 1, datasetHash: 'f'.repeat(64) });
    store('other-weights', { skill: 1 });
    const index = inside('other-weights', 'evaluation', 'tiny', 'ious.json');
    writeFileSync(index, readFileSync(index, 'utf8').replace(WEIGHTS.b, WEIGHTS.r));
    store('cut-ious', { skill: 1 });
    writeFileSync(inside('cut-ious', 'evaluation', 'tiny', 'ious.npy'), '');
    store('retrained', { skill: 1, weightsNow: 'd'.repeat(64) });
    for (const name of ['two', 'two-more']) {
      store(name, { skill: 1 });
      store(name, { skill: 1, evaluation: 'other', datasetHash: 'f'.repeat(64) });
    }
    for (const [name, cell] of [
      ['damaged', 'none'],
      ['blank', ''],
    ] as const) {
      store(name, { skill: 1 });
      const scores = inside(name, 'evaluation', 'tiny', 'scores.csv');
      writeFileSync(scores, readFileSync(scores, 'utf8').replace(/,[\d.]+\n$/, `,${cell}\n`));
    }
    store('cut-off', { skill: 1 });
    writeFileSync(inside('cut-off', 'evaluation', 'tiny', 'auc.json'), '{"format": 1,');
  });

  it.each<[string, () => string[], RegExp]>([
    ['no run', () => [], /missing required argument 'run'/],
    ['one run', () => [inside('b')], /^BAD_INPUT: .*b alone: expected two run folders or more/],
    ['a run named twice', () => [inside('b'), `${inside('r')}/../b`], /^BAD_INPUT: .* is named twice/],
    ['a folder that is not there', () => [inside('b'), inside('none')], /^NOT_FOUND: .*none is no run folder: it has no run\.json/],
    ['a folder that is no run', () => [inside('empty'), inside('b')], /^NOT_FOUND: .*empty is no run folder/],
    [
      'a run without an evaluation',
      () => [inside('b'), inside('unevaluated')],
      /^NOT_FOUND: .*unevaluated has no finished evaluation\. Run /,
    ],
    [
      'evaluations of different data',
      () => [inside('b'), inside('other-data')],
      /^BAD_INPUT: The runs were evaluated on different data: .*b on tiny \(\w{8}\); .*other-data on other \(f{8}\)\. Run /,
    ],
    [
      'different data under one name',
      () => [inside('b'), inside('same-name'), '--data', 'tiny'],
      /^BAD_INPUT: .*b was evaluated on tiny \(\w{8}\), .*same-name on tiny \(f{8}\): other data\./,
    ],
    [
      'the file of other data',
      () => [inside('other-data'), inside('b'), '--data', file],
      /^NOT_FOUND: .*other-data was not evaluated on .*tiny\.cxr; /,
    ],
    [
      'an unknown evaluation',
      () => [inside('b'), inside('r'), '--data', 'big'],
      /^NOT_FOUND: .*b was not evaluated on big; its evaluations: tiny\./,
    ],
    [
      'a prepared file that is not there',
      () => [inside('b'), inside('r'), '--data', inside('no.cxr')],
      /^NOT_FOUND: There is no prepared data set/,
    ],
    ['a file that is no prepared one', () => [inside('b'), inside('r'), '--data', inside('b', 'run.json')], /^BAD_INPUT: .*run\.json/],
    [
      'two evaluations to choose from',
      () => [inside('two'), inside('two-more')],
      /^BAD_INPUT: The runs share the evaluations other, tiny; choose one/,
    ],
    [
      'IoUs of other weights than the AUCs',
      () => [inside('b'), inside('other-weights')],
      /^CORRUPT: .*tiny: ious\.json is not of the same weights and data as auc\.json\. A later evaluation was interrupted\./,
    ],
    [
      'IoUs that were cut off',
      () => [inside('b'), inside('cut-ious')],
      /^CORRUPT: .*ious\.npy is not the file that ious\.json describes: its hash differs; evaluate the run again\./,
    ],
    [
      'weights changed after the evaluation',
      () => [inside('b'), inside('retrained')],
      /^BAD_INPUT: .*retrained was trained again after its evaluation tiny\./,
    ],
    [
      'scores that are no number',
      () => [inside('b'), inside('damaged'), '--data', file],
      /^BAD_INPUT: .*scores\.csv line \d+: the score for Hernia is "(none)?"; expected a finite decimal number\. Correct it, .*\.$/m,
    ],
    [
      'a score left out',
      () => [inside('b'), inside('blank'), '--data', file],
      /^BAD_INPUT: .*scores\.csv line \d+: the score for Hernia is "(none)?"; expected a finite decimal number\. Correct it, .*\.$/m,
    ],
    ['a damaged evaluation', () => [inside('b'), inside('cut-off')], /^CORRUPT: .*auc\.json is no JSON/],
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await run(...args());
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)]);
    expect(stderr.trim()).not.toContain('\n');
  });
});
