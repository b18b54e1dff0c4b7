import { describe, expect, it } from 'vitest';
import { placeRaster, toPixel } from './raster.ts';
import { addEllipsoid, addTube } from './solids.ts';

const POSE = { width: 400, height: 400, magnification: 1, du: 0, dv: 0, angle: 0 };
const SIZE = 400;

function sum(map: Float32Array): number {
  return map.reduce((a, b) => a + b, 0);
}

describe('solids', () => {
  it('projects an ellipsoid to its volume, and 2 rz at its middle, however it is turned', () => {
    for (const angle of [0, 0.7]) {
      const map = new Float32Array(SIZE * SIZE);
      const raster = placeRaster(SIZE, POSE);
      addEllipsoid(raster, map, { u: 10, v: 100, ru: 40, rv: 25, rz: 30, angle });
      expect(sum(map)).toBeCloseTo((4 / 3) * Math.PI * 40 * 25 * 30, -3);
      const [x, y] = toPixel(raster, 10, 100);
      expect(map[Math.round(y) * SIZE + Math.round(x)]).toBeCloseTo(60, 1);
    }
  });

  it('projects a tube to its volume, joints and thin tubes included', () => {
    const raster = placeRaster(SIZE, POSE);
    for (const radius of [6, 0.3]) {
      const map = new Float32Array(SIZE * SIZE);
      const axis = [-100, -40, 0, 30, 100].map((u) => ({ u, v: 100 + 0.2 * u, radius }));
      addTube(raster, map, axis);
      const length = 200 * Math.hypot(1, 0.2);
      const caps = (4 / 3) * Math.PI * radius ** 3;
      const volume = Math.PI * radius * radius * length + caps;
      expect(Math.abs(sum(map) / volume - 1)).toBeLessThan(0.03);
    }
  });

  it('gives a hollow tube the same edge and a thinner middle', () => {
    const raster = placeRaster(SIZE, POSE);
    const axis = [
      { u: -50, v: 100, radius: 10 },
      { u: 50, v: 100, radius: 10 },
    ];
    const draw = (wall: number): Float32Array => {
      const map = new Float32Array(SIZE * SIZE);
      addTube(raster, map, axis, { wall });
      return map;
    };
    const [x, y] = toPixel(raster, 0, 100).map(Math.round) as [number, number];
    expect(draw(0)[y * SIZE + x]).toBeCloseTo(20, 0);
    expect(draw(2)[y * SIZE + x]).toBeCloseTo(4, 0);
    expect(draw(2)[(y + 9) * SIZE + x]).toBeCloseTo(draw(0)[(y + 9) * SIZE + x]!, 5);
  });

  it('squashes any film to a square, in mm of the patient', () => {
    const raster = placeRaster(100, { ...POSE, width: 430, height: 350, magnification: 1.1, du: 20, angle: 0.05 });
    const [x, y] = toPixel(raster, 33, 77);
    expect(raster.u0 + raster.ux * x + raster.uy * y).toBeCloseTo(33, 9);
    expect(raster.v0 + raster.vx * x + raster.vy * y).toBeCloseTo(77, 9);
    const [left] = toPixel(raster, 0, 0);
    const [right] = toPixel(raster, 43, 0);
    expect((right - left) * 4.3).toBeCloseTo(43 * 1.1 * Math.cos(0.05), 6);
  });
});
