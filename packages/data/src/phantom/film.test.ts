import { describe, expect, it } from 'vitest';
import { ATTENUATION, gaussianBlur, opticalThickness, transmit } from './film.ts';
import { emptyMaps, type Maps } from './thorax.ts';

/** A slab of one pixel with the given thicknesses in mm. */
function slab(thickness: Partial<Record<keyof Maps, number>>): Maps {
  const maps = emptyMaps(1);
  for (const [name, value] of Object.entries(thickness)) maps[name as keyof Maps][0] = value;
  return maps;
}

/** Optical thickness of a slab. */
function tau(thickness: Partial<Record<keyof Maps, number>>, lungDensity = 1): number {
  return opticalThickness(slab(thickness), lungDensity)[0]!;
}

describe('Beer-Lambert', () => {
  it('attenuates soft tissue, fat, lung and bone by 0.20, 0.18, 0.05 and 0.50 per cm', () => {
    expect(tau({ body: 100 })).toBeCloseTo(2.0, 6);
    expect(tau({ body: 100, fat: 100 })).toBeCloseTo(1.8, 6);
    expect(tau({ body: 100, lung: 100 })).toBeCloseTo(0.5, 6);
    expect(tau({ body: 10, bone: 10 })).toBeCloseTo(0.5, 6);
    expect(tau({ body: 100, air: 100 })).toBe(0);
  });

  it('passes exp(-sum of mu t), so that layers multiply', () => {
    const two = transmit(opticalThickness(slab({ body: 30 }), 1))[0]! * transmit(opticalThickness(slab({ body: 50 }), 1))[0]!;
    expect(transmit(opticalThickness(slab({ body: 80 }), 1))[0]).toBeCloseTo(two, 6);
    expect(transmit(Float32Array.of(0))[0]).toBe(1);
  });

  it('puts a vessel in the place of lung, never beyond it', () => {
    const { soft, lung } = ATTENUATION;
    expect(tau({ body: 100, lung: 60, vessels: 4 })).toBeCloseTo(soft * 44 + lung * 56, 6);
    expect(tau({ body: 100, lung: 60, vessels: 90 })).toBeCloseTo(soft * 100, 6);
  });

  it('lets no gas be thicker than the body around it', () => {
    expect(tau({ body: 40, air: 90 })).toBe(0);
    expect(tau({ air: 90 })).toBe(0);
  });
});

describe('gaussianBlur', () => {
  it('keeps the sum of what lies inside, and a constant', () => {
    const size = 31;
    const map = new Float32Array(size * size);
    map[15 * size + 15] = 100;
    const blurred = gaussianBlur(map, size, 2);
    expect(blurred.reduce((a, b) => a + b)).toBeCloseTo(100, 3);
    expect(gaussianBlur(new Float32Array(25).fill(3), 5, 1.5)[12]).toBeCloseTo(3, 5);
  });
});
