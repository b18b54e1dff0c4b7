import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  defaultOptions,
  featureShapeOf,
  METHODS,
  optionsOf,
  parentMethod,
  parseMethod,
  parsePreset,
  parseSettings,
  parseTrainOptions,
} from './index.ts';

describe('the spec', () => {
  it('never imports TensorFlow: only data, eval, zod and itself', () => {
    const sources = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    for (const name of sources) {
      const text = readFileSync(path.join(import.meta.dirname, name), 'utf8');
      for (const [, from] of text.matchAll(/(?:from|import)\s*\(?'([^']+)'/g)) {
        expect(
          ['@cxr-lens/data', '@cxr-lens/eval', 'zod'].includes(from!) || /^\.\/[a-z-]+\.ts$/.test(from!),
          `${name} imports ${from}`,
        ).toBe(true);
      }
    }
    expect(sources.length).toBeGreaterThan(5);
  });

  it('states the feature maps of the paper', () => {
    expect(featureShapeOf('truncated-densenet121', 'paper')).toEqual([28, 28, 512]);
    expect(featureShapeOf('densenet121', 'paper')).toEqual([7, 7, 1024]);
    expect(featureShapeOf('resnet50', 'paper')).toEqual([7, 7, 2048]);
    expect(featureShapeOf('resnet50-transition', 'paper')).toEqual([7, 7, 2048]);
  });

  it("knows methods and presets by name and starts Robust from the Baseline's run", () => {
    expect(parseMethod('Robust')).toBe('robust');
    expect(METHODS.robust.startsFrom).toBe('baseline');
    expect(() => parseMethod('resnet')).toThrow(/"resnet" is no method; the methods are baseline, robust, chexnet, nih, nih-star/);
    expect(() => parsePreset('large')).toThrow(/"large" is no preset; the presets are paper, small/);
  });
});

describe('training options', () => {
  it("default to the paper's recipe, and to a method's own where it has one", () => {
    const robust = defaultOptions('robust');
    expect(robust).toMatchObject({
      learningRate: 0.01,
      momentum: 0.9,
      batchSize: 32,
      patience: 3,
      patienceSteps: 500,
      epsilon: 0.005,
      positiveWeight: 'batch',
    });
    expect(robust).toMatchObject({
      perturbation: 'linf',
      perturbedFraction: 0.5,
      attackSteps: 1,
      attackStart: 'image',
      attackBatchNorm: 'batch',
    });
    expect(defaultOptions('baseline').perturbation).toBe('none');
    expect(defaultOptions('chexnet').positiveWeight).toBe('none');
    expect([defaultOptions('nih').pooling, defaultOptions('nih-star').pooling]).toEqual(['lse', 'average']);
  });

  it('follow the published recipe where the network has one, and what is said beside it', () => {
    expect(parseTrainOptions('chexnet', { recipe: 'published', batchSize: 8 })).toMatchObject({
      optimiser: 'adam',
      learningRate: 0.001,
      plateauPatience: 1,
      batchSize: 8,
      flip: 'horizontal',
      positiveWeight: 'none',
    });
    expect(parseTrainOptions('nih', { recipe: 'published' })).toMatchObject({
      batchSize: 80,
      accumulation: 5,
      maxSteps: 10_000,
      pooling: 'lse',
    });
    expect(defaultOptions('chexnet')).toMatchObject({
      optimiser: 'sgd',
      learningRate: 0.01,
      plateauPatience: 0,
      batchSize: 32,
      flip: 'none',
    });
  });

  it('are read from name=value', () => {
    const given = parseSettings(['epsilon=0.01', 'maxEpochs=5', 'attackBatchNorm=inference']);
    const expected = { ...defaultOptions('robust'), epsilon: 0.01, maxEpochs: 5, attackBatchNorm: 'inference' };
    expect(parseTrainOptions('robust', given)).toEqual(expected);
  });

  it('are shown where they mean something', () => {
    const shown = (method: 'baseline' | 'robust' | 'nih' | 'nih-star', given = {}) => optionsOf(method, parseTrainOptions(method, given));
    expect(shown('baseline')).not.toEqual(expect.arrayContaining(['epsilon']));
    expect(shown('robust')).toEqual(expect.arrayContaining(['perturbation', 'epsilon', 'attackSteps']));
    expect(shown('robust', { perturbation: 'spatial' })).not.toContain('epsilon');
    expect(parseTrainOptions('robust', { perturbation: 'spatial' })).toMatchObject({ attackSteps: 0, attackCandidates: 10 });
    expect(shown('nih')).toEqual(expect.arrayContaining(['pooling', 'lseSharpness']));
    expect(shown('nih-star')).not.toContain('lseSharpness');
  });

  it('say what a run starts from: every perturbed method from its own converged run, Robust from the Baseline', () => {
    expect(parentMethod('robust', defaultOptions('robust'))).toBe('baseline');
    expect(parentMethod('chexnet', defaultOptions('chexnet'))).toBeNull();
    expect(parentMethod('chexnet', parseTrainOptions('chexnet', { perturbation: 'linf' }))).toBe('chexnet');
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
    ['robust', { recipe: 'published' }, /Option recipe: robust has no other recipe than the paper's; leave it out/],
    ['chexnet', { recipe: 'published', momentum: 0.5 }, /Option momentum: Adam has moments of its own/],
    ['supervised', { flip: 'horizontal' }, /Option flip: mirrored images would leave their boxes/],
    ['baseline', { accumulation: 5 }, /Option accumulation: a batch of 32 has no 5 equal parts; choose a divisor/],
    ['robust', { patience: 'long' }, /Option patience: .*expected.*received string/],
    ['robust', { colour: 1 }, /Option colour: no such option/],
    ['baseline', { epsilon: 0.01 }, /Option epsilon: baseline does not perturb its images/],
    ['baseline', { perturbation: 'linf' }, /is the method robust/],
    ['robust', { perturbation: 'none' }, /robust without a perturbation is the Baseline/],
    ['robust', { epsilon: -0.01 }, /Option epsilon: /],
    ['robust', { perturbation: 'spatial', epsilon: 0.01 }, /Option epsilon: it means nothing with perturbation spatial/],
    ['chexnet', { epsilon: 0.01 }, /Option epsilon: nothing is perturbed; set perturbation=linf/],
    ['chexnet', { pooling: 'lse' }, /Option pooling: chexnet pools by the average/],
    ['nih', { positiveWeight: 'none' }, /Option positiveWeight: nih's loss is weighted by the labels/],
    ['robust', { attackSteps: 1_000_000 }, /Option attackSteps: 1000000 is too large; expected at most 1000\./],
    ['robust', { attackSteps: 200, attackCandidates: 10 }, /200 steps are 2000 passes a batch; expected at most 1000\./],
    ['baseline', { batchSize: 5000 }, /Option batchSize: 5000 is too large; expected at most 4096\./],
    ['robust', { attackSteps: 0 }, /Option attackSteps: 0 steps from the image change nothing/],
    ['robust', { perturbation: 'spatial', attackCandidates: 1 }, /Option attackSteps: 0 steps from the image change nothing/],
    ['nih-star', { lseSharpness: 5 }, /Option lseSharpness: the pooling is not lse/],
  ] as const)('refuse %s %j', (method, given, message) => {
    expect(() => parseTrainOptions(method, given)).toThrow(message);
  });
});
