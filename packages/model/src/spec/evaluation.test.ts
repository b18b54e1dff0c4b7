import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { AucFileSchema, LocalizationFileSchema } from './index.ts';

const hash = 'a'.repeat(64);
const data = {
  name: 'phantom',
  size: 96,
  datasetHash: hash,
  splitHash: hash,
  preprocessingVersion: '1',
  synthetic: true,
  seed: 0,
  images: { train: 80, validation: 10, test: 300 },
};
const head = {
  format: 1,
  runId: 'r',
  weightsSha256: hash,
  data,
  seed: 0,
  resamples: 2000,
  codeVersion: '0.1.0',
  createdAt: '2026-01-02T10:00:00.000Z',
};

/** As 0.1.0 wrote it. */
const row = (positives: number) => ({
  auc: 0.8,
  variance: 0.001,
  ci: [0.7, 0.9],
  bootstrap: [0.72, 0.88],
  positives,
  negatives: 300 - positives,
});
const aucFile = (mass: object) => ({
  ...head,
  images: 300,
  findings: Object.fromEntries(FINDINGS.map((finding) => [finding, finding === 'Mass' ? mass : row(40)])),
  mean: { auc: 0.8, bootstrap: [0.75, 0.85], findings: 14 },
});

describe('auc.json of 0.1.0', () => {
  it.each([1, 9, 291, 299])('is read without the intervals of few cases: %d positives of 300', (positives) => {
    const { findings, mean } = AucFileSchema.parse(aucFile({ ...row(positives), auc: 1, ci: [1, 1], bootstrap: [1, 1] }));
    expect(findings.Mass).toMatchObject({ auc: 1, ci: null, bootstrap: null, positives, reason: 'few cases' });
    expect(findings.Nodule).toEqual(row(40));
    expect(mean).toEqual({ auc: 0.8, bootstrap: null, findings: 14, reason: 'few cases' });
  });

  it.each([
    ['enough cases', row(10)],
    ['no case', { ...row(0), auc: null, variance: null, ci: null, bootstrap: null, reason: 'no positive image' }],
  ])('is read as it is with %s', (_, mass) => {
    const file = aucFile(mass);
    const read = AucFileSchema.parse(file);
    expect(read).toEqual({ ...file, data: { ...data, bits: null }, excludedPatients: 0 });
    expect(AucFileSchema.parse(JSON.parse(JSON.stringify(read)))).toEqual(read);
  });
});

describe('localization.json of 0.1.0', () => {
  const scored = Array.from({ length: 20 }, (_, i) => ({ image: `${i}.png`, patientId: `${i >> 1}`, ious: [i < 10 ? 0.35 : 0.05] }));
  const point = (iouThreshold: number, accuracy: number, width: number) => {
    return { iouThreshold, accuracy, low: accuracy - width, high: accuracy + width, sd: null };
  };
  const points = [0.1, 0.2, 0.3].map((t) => point(t, 0.5, 0.2)).concat([0.4, 0.5, 0.6, 0.7].map((t) => point(t, 0, 0)));
  const curve = {
    ...{ pairs: 20, threshold: 180, meanIou: 0.2, reason: null, points, foldThresholds: [180], scored },
    falsePositives: null,
    iobb: { points, falsePositives: null },
  };
  const result = {
    protocol: { name: 'nih', description: '' },
    seed: 0,
    findings: Object.fromEntries(BOXED_FINDINGS.map((name) => [name, curve])),
  };
  const measured = { run: result, controls: { random: result, centre: result, bestReachable: result } };
  const read = LocalizationFileSchema.parse({ ...head, ...measured, others: [measured] });

  it('is read with Wilson intervals in the place of those without width, and else as it is', () => {
    for (const { run, controls } of [read, ...read.others]) {
      for (const { findings } of [run, ...Object.values(controls)]) {
        const { points: own, iobb } = findings.Mass;
        expect(own.slice(0, 3)).toEqual(points.slice(0, 3));
        // 0 of 20 pairs of 10 patients: n = 10
        for (const { low, high } of own.slice(3)) expect([low, high]).toEqual([0, expect.closeTo(0.27753, 5)]);
        // which boxes overlapped is not in the file
        expect(iobb!.points.slice(0, 3)).toEqual(points.slice(0, 3));
        for (const { low, high } of iobb!.points.slice(3)) expect([low, high]).toEqual([null, null]);
      }
    }
  });

  it('is the same when it is written and read again', () => {
    expect(LocalizationFileSchema.parse(JSON.parse(JSON.stringify(read)))).toEqual(read);
  });
});
