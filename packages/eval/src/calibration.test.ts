import { describe, expect, it } from 'vitest';
import reference from '../reference/calibration.json' with { type: 'json' };
import { calibrate, operatingPoint, plattScale, probability } from './calibration.ts';
import { scoreCase } from './testing.ts';

function logitCase(input: Parameters<typeof scoreCase>[0]): { logits: Float64Array; labels: Uint8Array } {
  const { scores, labels } = scoreCase(input);
  return { logits: scores.map((score) => 8 * score - 3), labels };
}

describe('plattScale', () => {
  // reference/calibration.py: scikit-learn's unregularised logistic regression on Platt's targets; 1e-5 is its stopping rule
  it.each(reference.cases)('agrees with logistic regression: seed $seed', (expected) => {
    const { logits, labels } = logitCase(expected);
    const { a, b } = plattScale(logits, labels);
    expect(Math.abs(a - expected.a)).toBeLessThan(1e-5);
    expect(Math.abs(b - expected.b)).toBeLessThan(1e-5);
  });

  it('follows a change of unit, stays finite for separated classes, and turns with the sign', () => {
    const { logits, labels } = logitCase(reference.cases[0]!);
    const { a, b } = plattScale(logits, labels);
    const scaled = plattScale(
      logits.map((x) => 1000 * x + 500),
      labels,
    );
    expect(scaled.a).toBeCloseTo(a / 1000, 8);
    expect(scaled.b).toBeCloseTo(b - a / 2, 6);
    const separated = plattScale([-3, -2, -1, 1, 2, 3], [0, 0, 0, 1, 1, 1]);
    expect(probability(3, separated)).toBeLessThan(1);
    expect(separated.a).toBeGreaterThan(0);
    expect(
      plattScale(
        logits.map((x) => -x),
        labels,
      ).a,
    ).toBeCloseTo(-a, 8);
  });
});

describe('operatingPoint', () => {
  it.each(reference.cases)("maximises Youden's J as scikit-learn's ROC does: seed $seed", (expected) => {
    const { logits, labels } = logitCase(expected);
    expect(operatingPoint(logits, labels)).toBe(expected.operatingPoint);
  });

  it('is the same point in every monotone unit', () => {
    const { logits, labels } = logitCase(reference.cases[1]!);
    const platt = plattScale(logits, labels);
    const point = operatingPoint(
      logits.map((logit) => probability(logit, platt)),
      labels,
    );
    expect(point).toBe(probability(operatingPoint(logits, labels), platt));
  });
});

describe('calibrate', () => {
  it('gives probability and operating point in one unit', () => {
    const { logits, labels } = logitCase(reference.cases[0]!);
    const { platt, operatingPoint: point, reason, positives, negatives } = calibrate(logits, labels);
    expect(reason).toBeNull();
    expect(point!.probability).toBe(probability(point!.logit, platt!));
    expect(positives + negatives).toBe(400);
  });

  it('is null with the reason under ten images of a class, and where the logit does not rise with the finding', () => {
    const nine = Uint8Array.from({ length: 40 }, (_, i) => (i < 9 ? 1 : 0));
    const logits = Float64Array.from({ length: 40 }, (_, i) => i / 40);
    expect(calibrate(logits, nine)).toEqual({
      platt: null,
      operatingPoint: null,
      reason: '9 positive validation images: under 10',
      positives: 9,
      negatives: 31,
    });
    expect(
      calibrate(
        logits,
        nine.map((label) => 1 - label),
      ).reason,
    ).toBe('9 negative validation images: under 10');
    const ten = Uint8Array.from({ length: 40 }, (_, i) => (i < 10 ? 1 : 0));
    expect(calibrate(logits, ten).reason).toBe('on the validation images the logit does not rise with the finding');
    expect(
      calibrate(
        logits.map((x) => -x),
        ten,
      ).platt!.a,
    ).toBeGreaterThan(0);
  });
});

describe('logits of a network that exploded', () => {
  it.each([1e3, 1e10, 1e21, 1e37])('are calibrated like any other: times %d', (unit) => {
    const { logits, labels } = logitCase(reference.cases[0]!);
    const plain = calibrate(logits, labels);
    const huge = calibrate(
      Float32Array.from(logits, (logit) => logit * unit),
      labels,
    );
    expect(huge.platt!.a * unit).toBeCloseTo(plain.platt!.a, 4);
    expect(huge.platt!.b).toBeCloseTo(plain.platt!.b, 4);
    expect(huge.operatingPoint!.probability).toBeCloseTo(plain.operatingPoint!.probability, 4);
    expect(JSON.parse(JSON.stringify(huge))).toEqual(huge);
  });
});
