import { defaultOptions, type Run } from '@cxr-lens/model/spec';

export const WEIGHTS = '1'.repeat(64);

export const data: NonNullable<Run['data']> = {
  name: 'phantom',
  size: 96,
  datasetHash: 'd'.repeat(64),
  splitHash: 'e'.repeat(64),
  preprocessingVersion: 'v1',
  bits: null,
  synthetic: true,
  seed: 0,
  images: { train: 64, validation: 8, test: 20 },
};

/** What run.json of a finished run holds. */
export function runFile(id: string, change: Partial<Run> = {}): Run {
  return {
    format: 1,
    trainedTestImages: [],
    id,
    name: `The run ${id}`,
    method: 'baseline',
    preset: 'small',
    network: 'truncated-densenet121',
    inputSize: 96,
    featureShape: [12, 12, 132],
    data,
    parent: null,
    imported: null,
    initialisation: 'he-normal',
    normalisation: null,
    seed: 3,
    options: { ...defaultOptions(change.method ?? 'baseline'), seed: 3 },
    codeVersion: '0.1.0',
    engine: 'TensorFlow 2.21.0, CPU',
    state: 'finished',
    error: null,
    epochs: [1, 2].map((epoch) => ({
      epoch,
      trainLoss: 1 / epoch,
      validationLoss: 2 / epoch,
      perturbedValidationLoss: null,
      probe: null,
      validationAuc: null,
      seconds: 1.5,
    })),
    bestEpoch: 2,
    stepsPerEpoch: 2,
    weightsSha256: WEIGHTS,
    cardSha256: null,
    nextCardSha256: null,
    createdAt: '2026-01-01T10:00:00.000Z',
    updatedAt: '2026-01-01T11:00:00.000Z',
    finishedAt: '2026-01-01T11:00:00.000Z',
    ...change,
  };
}
