import { describe, expect, it } from 'vitest';
import { table } from '../reliability/trial.ts';
import { runTrials } from '../reliability/trials.ts';

const conditions = {
  full: false,
  rounds: 5,
  signal: new AbortController().signal,
  say: (line: string): void => void process.stderr.write(`${line}\n`),
};

describe('npm run reliability, in short', () => {
  it('comes back after kill -9, and gives back what was backed up, with nothing lost', async () => {
    const { outcomes } = await runTrials(['crash', 'backup'], conditions);
    // How fast it comes back is for the command to judge, on a machine that does nothing else.
    expect(outcomes.flatMap(({ broken }) => broken).filter((sentence) => !/: back after [\d.]+ s$/.test(sentence))).toEqual([]);
    expect(outcomes.map(({ lost }) => lost)).toEqual([0, 0]);
    expect(outcomes.every(({ acknowledged }) => acknowledged >= 20)).toBe(true);
  });

  it('loses no upload to a power cut', async (ctx) => {
    const { outcomes, skipped } = await runTrials(['power'], conditions);
    if (skipped[0]) ctx.skip(skipped[0]);
    expect(outcomes).toMatchObject([{ acknowledged: 50, lost: 0, broken: [] }]);
  });
});

describe('the table of npm run reliability', () => {
  it('names every bound that is broken', () => {
    const outcome = {
      what: 'a',
      rounds: 1,
      acknowledged: 2,
      lost: 1,
      deafSeconds: null,
      peakMb: 3,
      seconds: 4,
      notes: ['n'],
      broken: ['1 lost'],
    };
    expect(table([outcome]).split('\n').at(-1)).toBe('| a | 1 | 2 | 1 |  | 3 | 4 | n; BROKEN: 1 lost |');
  });
});
