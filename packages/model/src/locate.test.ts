import { BOXED_FINDINGS, type Finding } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { located } from './locate.ts';
import type { Network } from './networks/network.ts';
import type { Card } from './spec/index.ts';

const IMAGE = { width: 100, height: 200 };

function at(
  kind: 'patches' | 'cam',
  map: readonly number[],
  { finding = 'Mass', threshold = null }: { finding?: Finding; threshold?: number | null } = {},
) {
  const values = Object.fromEntries(BOXED_FINDINGS.map((boxed) => [boxed, threshold]));
  const card = { camThresholds: threshold === null ? null : { values } } as Card;
  const network = { evidence: { kind } } as Network;
  return located({ finding, map: Float32Array.from(map), height: 2, width: 2 }, { network, card, image: IMAGE });
}

describe('the region of patch scores', () => {
  it.each([
    ['a quarter above 0.5', [0.9, 0.1, 0.1, 0.1], 127.5, { x: 0, y: 0, width: 50, height: 100 }],
    ['two quarters that touch at a corner', [0.1, 0.6, 0.6, 0.1], 204, { x: 0, y: 0, width: 100, height: 200 }],
    ['all above', [0.9, 0.6, 0.6, 0.6], 0, { x: 0, y: 0, width: 100, height: 200 }],
    ['all the same, above', [0.7, 0.7, 0.7, 0.7], null, { x: 0, y: 0, width: 100, height: 200 }],
    ['none above', [0.5, 0.1, 0.1, 0.1], 255, null],
    ['all below', [0.3, 0.1, 0.1, 0.1], 256, null],
  ])('%s: by hand', (_name, map, threshold, box) => {
    const found = at('patches', map);
    if (threshold === null) expect(found.camThreshold).toBeNull();
    else expect(found.camThreshold).toBeCloseTo(threshold, 3);
    expect(found.box).toEqual(box);
  });

  it('needs no boxes of the finding and no evaluation', () => {
    expect(at('patches', [0.9, 0.1, 0.1, 0.1], { finding: 'Hernia' }).box).not.toBeNull();
  });
});

describe('the region of a CAM', () => {
  it("is by the card's threshold, and there is none without it or of a constant map", () => {
    // Bilinear from 0 to 255 between the columns' centres: 128 is reached in the middle.
    const { camThreshold, box } = at('cam', [0, 2, 0, 2], { threshold: 128 });
    expect(camThreshold).toBe(128);
    expect(box).toEqual({ x: 50, y: 0, width: 50, height: 200 });
    expect(at('cam', [0, 2, 0, 2])).toEqual({ camThreshold: null, box: null });
    expect(at('cam', [0, 2, 0, 2], { finding: 'Hernia', threshold: 128 })).toEqual({ camThreshold: null, box: null });
    expect(at('cam', [2, 2, 2, 2], { threshold: 128 })).toEqual({ camThreshold: 128, box: null });
  });
});
