import { describe, expect, it } from 'vitest';
import { trainCommand } from './command.ts';
import { defaultOptions, earliestEnd, RunSchema, secondsLeft } from './index.ts';

const end = (bestEpoch: number | null, stepsPerEpoch: number, options: Partial<ReturnType<typeof defaultOptions>> = {}) =>
  earliestEnd({ bestEpoch, stepsPerEpoch, options: { ...defaultOptions('baseline'), ...options } });

describe('the stop rule', () => {
  it.each([
    // small data: 500 steps are 12 epochs of 42 steps, the twelfth of which ends after 504
    [1, 42, {}, 13],
    [7, 42, {}, 19],
    // exactly 500 steps are enough
    [4, 50, {}, 14],
    [4, 500, {}, 7],
    [4, 125, {}, 8],
    [4, 126, {}, 8],
    [4, 124, {}, 9],
    // NIH: an epoch is 2,433 steps, so that the three epochs decide
    [4, 2433, {}, 7],
    [4, 1, { patience: 1, patienceSteps: 0 }, 5],
    [4, 1, { patience: 3, patienceSteps: 2 }, 7],
    [4, 1, { patience: 3, patienceSteps: 4 }, 8],
    // before the first epoch has ended, that one is the best
    [null, 42, {}, 13],
  ])('best epoch %j, %i steps an epoch, %j: ends after epoch %i', (best, steps, options, epoch) => {
    expect(end(best, steps, options)).toEqual({ epoch, by: 'stop rule' });
  });

  it.each([
    [1, 42, { maxEpochs: 12 }, 12],
    [1, 42, { maxEpochs: 13 }, 13],
    [1, 42, { maxSteps: 84 }, 2],
    [1, 42, { maxSteps: 85 }, 3],
    [1, 42, { maxSteps: 85, maxEpochs: 2 }, 2],
    [null, 42, { maxEpochs: 1 }, 1],
  ])('best epoch %j, %i steps an epoch, %j: the cap comes first, after epoch %i', (best, steps, options, epoch) => {
    expect(end(best, steps, options)).toEqual({ epoch, by: 'cap' });
  });
});

it('the time left is that of the last three epochs, each', () => {
  const epochs = [60, 10, 12, 14].map((seconds) => ({ seconds }));
  expect(secondsLeft({ epoch: 13 }, epochs)).toBe(9 * 12);
  expect(secondsLeft({ epoch: 13 }, epochs.slice(0, 1))).toBe(12 * 60);
  expect(secondsLeft({ epoch: 4 }, epochs)).toBe(0);
  expect(secondsLeft({ epoch: 13 }, [])).toBeNull();
});

describe('a run that was written before the rule counted steps', () => {
  const run = {
    ...{ format: 1, id: 'old', name: 'old', method: 'baseline', preset: 'small', network: 'truncated-densenet121', inputSize: 96 },
    ...{ featureShape: [12, 12, 132], parent: null, initialisation: 'he-normal', seed: 0, codeVersion: '0', engine: 'none' },
    ...{ state: 'training', error: null, epochs: [], bestEpoch: null, stepsPerEpoch: 42, weightsSha256: null, finishedAt: null },
    ...{ createdAt: '2026-11-23T00:00:00Z', updatedAt: '2026-11-23T00:00:00Z' },
    data: {
      ...{ name: 'd', size: 96, datasetHash: 'd', splitHash: 's', preprocessingVersion: '1', synthetic: true, seed: 0 },
      images: { train: 1350, validation: 150, test: 500 },
    },
  };

  it('keeps its epochs alone, and its command says so', () => {
    const { patienceSteps: _, ...options } = defaultOptions('baseline');
    const old = RunSchema.parse({ ...run, options });
    expect([old.options.patience, old.options.patienceSteps]).toEqual([3, 0]);
    expect(earliestEnd({ ...old, bestEpoch: 2 })).toEqual({ epoch: 5, by: 'stop rule' });
    expect(trainCommand(old)).toBe('cxr-lens train baseline --data FILE --out old --preset small --seed 0 --set patienceSteps=0');
  });

  it('is not taken for a new one', () => {
    const made = RunSchema.parse({ ...run, options: defaultOptions('baseline') });
    expect(made.options.patienceSteps).toBe(500);
    expect(trainCommand(made)).toBe('cxr-lens train baseline --data FILE --out old --preset small --seed 0');
  });
});
