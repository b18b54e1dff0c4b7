import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FINDINGS, type Finding } from '../findings.ts';
import { LARGE_HEART } from './findings/volume.ts';
import type { PhantomImage } from './plan.ts';
import { maskBox, renderImage } from './render.ts';
import { SHORTCUTS } from './shortcuts.ts';

const SIZE = 128;

function image(change: Partial<PhantomImage> = {}, patient = 1): PhantomImage {
  return {
    name: `0000000${patient}_000.png`,
    patientId: String(patient),
    followUp: 0,
    age: 50,
    buildAge: 50,
    sex: patient % 2 ? 'M' : 'F',
    view: 'PA',
    test: true,
    findings: [],
    labels: [],
    shortcuts: [],
    ...change,
  };
}

const draw = (plan: PhantomImage, size = SIZE) => renderImage(plan, { seed: 4, size });
const withFinding = (finding: Finding, grade: number, patient = 1, view: 'PA' | 'AP' = 'PA') =>
  draw(image({ view, findings: [{ finding, grade }] }, patient));

function mean(pixels: Uint8Array, mask: Uint8Array): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < pixels.length; i++) {
    if (mask[i] === 0) continue;
    sum += pixels[i]!;
    count++;
  }
  return sum / count;
}

describe('renderImage', () => {
  it('draws the same pixels on every machine and in any order', () => {
    const plans = [1, 2, 3].map((patient) =>
      image(
        {
          view: patient === 2 ? 'AP' : 'PA',
          findings: FINDINGS.filter((_, i) => i % 3 === patient - 1).map((finding) => ({ finding, grade: 0.7 })),
          shortcuts: SHORTCUTS.filter((_, i) => i % 3 === patient - 1),
        },
        patient,
      ),
    );
    const hash = (plan: PhantomImage): string => createHash('sha256').update(draw(plan, 64).pixels).digest('hex').slice(0, 16);
    const forwards = plans.map(hash);
    expect(plans.toReversed().map(hash).toReversed()).toEqual(forwards);
    // Another hash means another phantom: raise PHANTOM_VERSION in write.ts and name it here.
    expect(forwards).toEqual(['e2b8e559280fa3bc', '394de3aa4ce8bf06', '27e06c9dc8b97006']);
  });

  it('shows a healthy chest: lungs darker than heart and belly, the whole range used', () => {
    for (const patient of [1, 2, 3, 4]) {
      const { pixels } = draw(image({ view: patient > 2 ? 'AP' : 'PA' }, patient));
      const at = (x: number, y: number): number => {
        let sum = 0;
        for (let dy = -3; dy <= 3; dy++)
          for (let dx = -3; dx <= 3; dx++) sum += pixels[Math.round(y * SIZE + dy) * SIZE + Math.round(x * SIZE + dx)]!;
        return sum / 49;
      };
      const lung = (at(0.33, 0.4) + at(0.67, 0.4)) / 2;
      expect(at(0.5, 0.6)).toBeGreaterThan(lung + 25);
      expect(at(0.4, 0.9)).toBeGreaterThan(lung + 50);
      expect(Math.max(...pixels)).toBeGreaterThan(225);
      expect(Math.min(...pixels)).toBeLessThan(30);
    }
  });

  it('bounds each mask with its box, in pixels of 1024', () => {
    const mask = new Uint8Array(16 * 16);
    for (const [x, y] of [
      [3, 5],
      [9, 5],
      [4, 12],
    ] as const)
      mask[y * 16 + x] = 255;
    expect(maskBox(mask, 16)).toEqual({ x: 192, y: 320, width: 448, height: 512 });
    expect(maskBox(new Uint8Array(16), 4)).toBeNull();
  });

  it('has a mask for every finding, at every grade, in both views', () => {
    for (const finding of FINDINGS) {
      for (const grade of [0, 0.5, 1]) {
        for (const view of ['PA', 'AP'] as const) {
          const mask = withFinding(finding, grade, 1 + Math.round(2 * grade), view).masks.get(finding)!;
          expect(maskBox(mask, SIZE), `${finding} ${grade} ${view}`).not.toBeNull();
        }
      }
    }
  });

  it('changes the picture where the mask is: brighter or darker, more with the grade', () => {
    const signs: Partial<Record<Finding, 1 | -1>> = {
      Effusion: 1,
      Infiltration: 1,
      Mass: 1,
      Pneumonia: 1,
      Consolidation: 1,
      Edema: 1,
      Pneumothorax: -1,
      Emphysema: -1,
    };
    for (const [finding, sign] of Object.entries(signs) as [Finding, 1 | -1][]) {
      const change = (grade: number): number => {
        let sum = 0;
        for (const patient of [1, 2, 3]) {
          const there = withFinding(finding, grade, patient);
          const mask = there.masks.get(finding)!;
          sum += sign * (mean(there.pixels, mask) - mean(draw(image({}, patient)).pixels, mask));
        }
        return sum / 3;
      };
      const [faint, obvious] = [change(0.05), change(0.95)];
      expect(obvious, finding).toBeGreaterThan(faint);
      expect(obvious, finding).toBeGreaterThan(10);
    }
  });

  it('keeps a nodule under and a mass over 3 cm', () => {
    for (const patient of [1, 2, 3, 4, 5, 6]) {
      for (const grade of [0, 1]) {
        const nodule = withFinding('Nodule', grade, patient);
        const mass = withFinding('Mass', grade, patient);
        // a box in mm of the film, magnified by 1.05 on PA, and a pixel more at each side
        const width = (drawn: typeof nodule, finding: Finding): number =>
          (maskBox(drawn.masks.get(finding)!, SIZE)!.width / 1024) * drawn.film.width;
        expect(width(nodule, 'Nodule')).toBeLessThan(37);
        expect(width(mass, 'Mass')).toBeGreaterThan(26);
      }
    }
  });

  it('makes the heart wider than 0.55 of the chest with Cardiomegaly, and never without', () => {
    for (const patient of [1, 2, 3, 4, 5, 6]) {
      for (const view of ['PA', 'AP'] as const) {
        expect(withFinding('Cardiomegaly', 0, patient, view).cardiothoracicRatio).toBeGreaterThan(LARGE_HEART);
        expect(draw(image({ view }, patient)).cardiothoracicRatio).toBeLessThan(LARGE_HEART);
      }
    }
  });

  it('keeps the patient over follow-ups, pose and exposure apart', () => {
    const first = draw(image());
    const again = draw(image({ name: '00000001_001.png', followUp: 1 }));
    expect(again.pixels).not.toEqual(first.pixels);
    const place = (followUp: number) =>
      maskBox(
        draw(image({ name: `00000001_00${followUp}.png`, followUp, findings: [{ finding: 'Mass', grade: 0.5 }] })).masks.get('Mass')!,
        SIZE,
      )!;
    expect(Math.abs(place(1).x - place(0).x)).toBeLessThan(130);
    expect(Math.abs(place(1).y - place(0).y)).toBeLessThan(130);
    // Pixels follow the pose more than the patient; the heart's width over the chest's is the patient's own.
    const visits = [1, 3, 5, 7, 9].map((patient) =>
      [0, 1].map((followUp) => draw(image({ name: `0000000${patient}_00${followUp}.png`, followUp }, patient)).cardiothoracicRatio),
    );
    const apart = (same: boolean): number => {
      const pairs = visits.flatMap(([a], i) => visits.flatMap(([, b], j) => ((i === j) === same ? [Math.abs(a! - b!)] : [])));
      return pairs.reduce((sum, value) => sum + value, 0) / pairs.length;
    };
    expect(apart(true)).toBeLessThan(apart(false) / 4);
  });

  it('marks shortcuts in a mask of their own, bright where they are', () => {
    expect(draw(image()).shortcuts).toBeNull();
    const { pixels, shortcuts } = draw(image({ shortcuts: ['pacemaker'] }));
    expect(mean(pixels, shortcuts!)).toBeGreaterThan(mean(draw(image()).pixels, shortcuts!) + 20);
  });
});
