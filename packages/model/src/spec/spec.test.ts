import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TRAIN_OPTIONS, METHODS, optionsOf, PRESETS, parseMethod, parsePreset, parseSettings, parseTrainOptions } from './index.ts';

describe('the spec', () => {
  it('never imports TensorFlow: only data, zod and itself', () => {
    const sources = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    for (const name of sources) {
      const text = readFileSync(path.join(import.meta.dirname, name), 'utf8');
      for (const [, from] of text.matchAll(/(?:from|import)\s*\(?'([^']+)'/g)) {
        expect(['@cxr-lens/data', 'zod'].includes(from!) || /^\.\/[a-z-]+\.ts$/.test(from!), `${name} imports ${from}`).toBe(true);
      }
    }
    expect(sources.length).toBeGreaterThan(5);
  });

  it('states the feature map that the blocks make', () => {
    for (const { blocks, growth, stem, inputSize, featureShape } of Object.values(PRESETS)) {
      const [first, second] = blocks;
      const channels = Math.floor((stem + first * growth) / 2) + second * growth;
      expect(featureShape).toEqual([inputSize / 8, inputSize / 8, channels]);
    }
  });

  it("knows methods and presets by name and starts Robust from the Baseline's run", () => {
    expect(parseMethod('Robust')).toBe('robust');
    expect(METHODS.robust.startsFrom).toBe('baseline');
    expect(() => parseMethod('resnet')).toThrow(/"resnet" is no method; the methods are baseline, robust/);
    expect(() => parsePreset('large')).toThrow(/"large" is no preset; the presets are paper, small/);
  });
});

describe('training options', () => {
  it("default to the paper's recipe", () => {
    expect(DEFAULT_TRAIN_OPTIONS).toMatchObject({ learningRate: 0.01, momentum: 0.9, batchSize: 32, patience: 3, epsilon: 0.005 });
    expect(DEFAULT_TRAIN_OPTIONS).toMatchObject({
      perturbedFraction: 0.5,
      attackSteps: 1,
      attackBatchNorm: 'batch',
      positiveWeight: 'batch',
    });
  });

  it('are read from name=value', () => {
    const given = parseSettings(['epsilon=0.01', 'maxEpochs=5', 'attackBatchNorm=inference']);
    expect(parseTrainOptions('robust', given)).toEqual({
      ...DEFAULT_TRAIN_OPTIONS,
      epsilon: 0.01,
      maxEpochs: 5,
      attackBatchNorm: 'inference',
    });
    expect(optionsOf('baseline')).not.toContain('epsilon');
  });

  it.each([
    [['epsilon'], /expected name=value/],
    [['epsilom=1'], /--set epsilom: no such option; the options are seed, /],
    [['seed=1', 'seed=2'], /given twice/],
  ])('refuse %j', (settings, message) => {
    expect(() => parseSettings(settings)).toThrow(message);
  });

  it.each([
    ['robust', { epsilon: 2 }, /Option epsilon: /],
    ['robust', { batchSize: 1.5 }, /Option batchSize: /],
    ['robust', { patience: 'long' }, /Option patience: .*expected.*received string/],
    ['robust', { colour: 1 }, /Option colour: no such option/],
    ['baseline', { epsilon: 0.01 }, /Option epsilon: baseline does not perturb its images/],
  ] as const)('refuse %s %j', (method, given, message) => {
    expect(() => parseTrainOptions(method, given)).toThrow(message);
  });
});
