import { describe, expect, it } from 'vitest';
import { commandOf } from './runs.ts';

const SHA256 = '1'.repeat(64);
const imported = { id: 'imagenet', network: 'densenet121', sourceSha256: SHA256, weightsSha256: SHA256, head: 'none' };
const run = {
  method: 'baseline',
  preset: 'paper',
  path: '/runs/b',
  options: { patienceSteps: 500 },
  card: null,
  datasetHash: 'd',
  dataSet: { path: '/data/nih.cxr' },
  parent: null,
};

describe('the command that makes a run again', () => {
  it.each([
    [run, 'train baseline --data /data/nih.cxr --out /runs/b-again --preset paper'],
    // written before the option existed
    [
      { ...run, options: { patience: 4 } },
      'train baseline --data /data/nih.cxr --out /runs/b-again --preset paper --set patience=4 --set patienceSteps=0',
    ],
    [{ ...run, card: { imported: null } }, 'train baseline --data /data/nih.cxr --out /runs/b-again --preset paper'],
    [{ ...run, card: { imported } }, 'train baseline --data /data/nih.cxr --out /runs/b-again --preset paper --from imagenet'],
    [
      { ...run, method: 'robust', parent: { path: '/runs/a b' }, options: { epsilon: 0.01, patienceSteps: 500 } },
      "train robust --data /data/nih.cxr --out /runs/b-again --preset paper --from '/runs/a b' --set epsilon=0.01",
    ],
    [
      {
        ...run,
        method: 'nih',
        options: { recipe: 'published', batchSize: 80, accumulation: 5, maxSteps: 10_000, pooling: 'max', patienceSteps: 500 },
      },
      'train nih --data /data/nih.cxr --out /runs/b-again --preset paper --set recipe=published --set pooling=max',
    ],
    [
      { ...run, method: 'chexnet', card: { imported }, datasetHash: null, dataSet: null },
      'import FILE --network densenet121 --out /runs/b-again',
    ],
  ])('%#', (row, command) => {
    expect(commandOf(row)).toBe(`npx --no cxr-lens ${command}`);
  });
});
