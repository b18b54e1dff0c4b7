import { describe, expect, it } from 'vitest';
import { CxrError } from '../error.ts';
import { BOXED_FINDINGS, FINDINGS, type Finding } from '../findings.ts';
import { ENRICHED_BOXED_PAIRS, ENRICHED_POSITIVES, type PhantomImage, planImages } from './plan.ts';
import { prevalenceOf } from './prevalence.ts';
import { addShortcuts, SHORTCUTS } from './shortcuts.ts';

const NIH = { images: 4000, seed: 1, prevalence: 'nih', labelNoise: 0 } as const;
const ENRICHED = { images: 400, seed: 2, prevalence: 'enriched', labelNoise: 0 } as const;

function shows(image: PhantomImage, finding: Finding): boolean {
  return image.findings.some((candidate) => candidate.finding === finding);
}

function share(images: readonly PhantomImage[], test: (image: PhantomImage) => boolean): number {
  return images.filter(test).length / images.length;
}

describe('planImages', () => {
  it('depends on the seed alone', () => {
    expect(planImages(ENRICHED)).toEqual(planImages(ENRICHED));
    expect(planImages({ ...ENRICHED, seed: 3 })).not.toEqual(planImages(ENRICHED));
  });

  it('keeps patients on one side, with follow-ups in order and one name each', () => {
    const images = planImages(NIH);
    expect(images).toHaveLength(NIH.images);
    expect(new Set(images.map((image) => image.name)).size).toBe(NIH.images);
    const sides = Map.groupBy(images, (image) => image.patientId);
    for (const visits of sides.values()) {
      expect(new Set(visits.map((image) => `${image.test} ${image.sex} ${image.buildAge}`)).size).toBe(1);
      expect(visits.map((image) => image.followUp)).toEqual(visits.map((_, i) => i));
    }
    expect(share(images, (image) => image.test)).toBeCloseTo(0.228, 2);
  });

  it('follows NIH: prevalence of both parts, findings that come together, more visits of test patients', () => {
    const images = planImages(NIH);
    for (const test of [false, true]) {
      const part = images.filter((image) => image.test === test);
      for (const finding of FINDINGS)
        expect(share(part, (image) => shows(image, finding))).toBeCloseTo(prevalenceOf('nih', test)[finding], 2);
    }
    const trained = images.filter((image) => !image.test);
    const lift = (a: Finding, b: Finding): number =>
      share(
        trained.filter((image) => shows(image, a)),
        (image) => shows(image, b),
      ) / share(trained, (image) => shows(image, b));
    // NIH's train_val list: 10.8, 6.8, 2.5 and 0.4
    expect(lift('Pneumonia', 'Edema')).toBeGreaterThan(4);
    expect(lift('Pneumothorax', 'Emphysema')).toBeGreaterThan(3);
    expect(lift('Effusion', 'Atelectasis')).toBeGreaterThan(1.6);
    expect(lift('Pneumothorax', 'Cardiomegaly')).toBeLessThan(0.9);
    const visits = (test: boolean): number => {
      const part = images.filter((image) => image.test === test);
      return part.length / new Set(part.map((image) => image.patientId)).size;
    };
    expect(visits(true)).toBeGreaterThan(1.8 * visits(false));
  });

  it('keeps what enriched promises, with and without label noise', () => {
    for (const labelNoise of [0, 0.2]) {
      const images = planImages({ ...ENRICHED, labelNoise }).filter((image) => image.test);
      const pairs = (finding: Finding): number => images.filter((image) => shows(image, finding) && image.labels.includes(finding)).length;
      for (const finding of FINDINGS) expect(pairs(finding)).toBeGreaterThanOrEqual(ENRICHED_POSITIVES);
      for (const finding of BOXED_FINDINGS) expect(pairs(finding)).toBeGreaterThanOrEqual(ENRICHED_BOXED_PAIRS);
    }
  });

  it('makes labels wrong by the dial: as many invented as missed', () => {
    expect(planImages(NIH).every((image) => image.labels.length === image.findings.length)).toBe(true);
    const images = planImages({ ...NIH, labelNoise: 0.1 });
    const there = images.filter((image) => shows(image, 'Infiltration'));
    expect(share(there, (image) => !image.labels.includes('Infiltration'))).toBeCloseTo(0.1, 2);
    expect(images.filter((image) => image.labels.includes('Infiltration'))).toHaveLength(there.length);
  });

  it('has grades from barely there to obvious', () => {
    const grades = planImages(NIH).flatMap((image) => image.findings.map(({ grade }) => grade));
    expect(grades.filter((grade) => grade < 0.2).length / grades.length).toBeGreaterThan(0.1);
    expect(grades.filter((grade) => grade > 0.8).length / grades.length).toBeGreaterThan(0.1);
  });

  it('refuses too few images and says how many are needed', () => {
    expect(() => planImages({ ...ENRICHED, images: 399 })).toThrow(CxrError);
    expect(() => planImages({ ...ENRICHED, images: 399 })).toThrow(/too few for --prevalence enriched.*Ask for at least 400/);
    expect(() => planImages({ ...NIH, images: 3 })).toThrow(/split by patient.*at least 20/);
  });
});

describe('addShortcuts', () => {
  function withDials(dials: { train: number; validation: number; test: number }): PhantomImage[] {
    const images = planImages({ ...ENRICHED, images: 2000 });
    addShortcuts(images, {
      seed: 2,
      dials,
      prevalence: 'enriched',
      splitOf: (name) => (images.find((image) => image.name === name)!.test ? 'test' : 'train'),
    });
    return images;
  }

  it('at 0 adds nothing, and the view knows nothing of the findings', () => {
    const images = withDials({ train: 0, validation: 0, test: 0 });
    expect(images.every((image) => image.shortcuts.length === 0)).toBe(true);
    const views = (sick: boolean): number =>
      share(
        images.filter((image) => image.findings.length > 0 === sick),
        (image) => image.view === 'AP',
      );
    expect(Math.abs(views(true) - views(false))).toBeLessThan(0.09);
  });

  it("follows each split's own dial, and its finding", () => {
    const images = withDials({ train: 1, validation: 0, test: 0 });
    expect(images.filter((image) => image.test).every((image) => image.shortcuts.length === 0)).toBe(true);
    const trained = images.filter((image) => !image.test);
    for (const shortcut of SHORTCUTS) expect(share(trained, (image) => image.shortcuts.includes(shortcut))).toBeGreaterThan(0.02);
    const drains = (there: boolean): number =>
      share(
        trained.filter((image) => shows(image, 'Pneumothorax') === there),
        (image) => image.shortcuts.includes('drain'),
      );
    expect(drains(true)).toBeGreaterThan(0.8);
    expect(drains(false)).toBeLessThan(0.05);
    const half = withDials({ train: 0.5, validation: 0, test: 0.5 }).filter((image) => shows(image, 'Cardiomegaly'));
    expect(share(half, (image) => image.shortcuts.includes('pacemaker'))).toBeCloseTo(0.4, 1);
  });
});
