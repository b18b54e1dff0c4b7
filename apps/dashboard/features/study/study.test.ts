import { describe, expect, it } from 'vitest';
import { mapsLabel, mapUnit } from '../../lib/methods.ts';
import { grey, inferno, paint, redBlue } from './colours.ts';
import { awaitedRows, defaultRuns, findingRows, score } from './findings.ts';
import { outline, parseNpy, scaleSaliency, scaleTo255, upsample } from './maps.ts';
import type { Explanation } from './queries.ts';
import { adjustWindow, pan, START, windowLine, zoomAt } from './view.ts';

const map = (values: number[], width: number) => ({ values: Float32Array.from(values), width, height: values.length / width });

function npy(header: string, body: ArrayBufferLike): ArrayBuffer {
  const text = new TextEncoder().encode(header.padEnd(117, ' ').concat('\n'));
  const bytes = new Uint8Array(10 + text.length + body.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  bytes.set(text, 10);
  bytes.set(new Uint8Array(body), 10 + text.length);
  return bytes.buffer;
}

describe('what a map is called', () => {
  it('is what it is where all are alike, and no more than a map where they differ', () => {
    expect(mapsLabel(['CAM', 'CAM'])).toBe('CAM');
    expect(mapsLabel(['PATCH_SCORES'])).toBe('Patch scores');
    expect(mapsLabel(['WALK_DIFFERENCE'])).toBe('Difference of a walk');
    expect(mapsLabel(['CAM', 'PATCH_SCORES'])).toBe('Map');
    expect(mapsLabel([])).toBe('Map');
    expect(mapUnit('CAM')).toContain('logit');
  });
});

describe('maps', () => {
  it('are read from NPY, version 1', () => {
    const read = parseNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", Float32Array.of(1, 2, 3, 4, 5, -6).buffer));
    expect(read).toEqual({ height: 2, width: 3, values: Float32Array.of(1, 2, 3, 4, 5, -6) });
  });

  it('are refused when they are something else', () => {
    expect(() => parseNpy(new TextEncoder().encode('<!doctype html>').buffer)).toThrow(/not in NPY format/);
    expect(() => parseNpy(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }", new ArrayBuffer(8)))).toThrow(/float32 map/);
  });

  it('are brought up by half-pixel centres with held edges', () => {
    expect([...upsample(map([0, 4], 2), 1, 4).values]).toEqual([0, 1, 3, 4]);
    expect([...upsample(map([7], 1), 2, 2).values]).toEqual([7, 7, 7, 7]);
  });

  it('are scaled to 0..255, and a constant one has no region', () => {
    expect([...scaleTo255(map([-1, 0, 1], 3))!.values]).toEqual([0, 127.5, 255]);
    expect(scaleTo255(map([3, 3], 2))).toBeNull();
  });

  it('show saliency with zero at 0.5, clipped at three standard deviations', () => {
    const values = [...Array.from({ length: 99 }, () => 0), 50];
    const scaled = scaleSaliency(map(values, 10)).values;
    expect(scaled[0]).toBe(0.5);
    expect(scaled[99]).toBe(1);
    const [low, high] = scaleSaliency(map([-2, 2], 2)).values;
    expect(low! + high!).toBeCloseTo(1, 6);
  });
});

describe('outlines', () => {
  const ends = (path: string): string[] => [...path.matchAll(/[ML]([^ML]+)/g)].map(([, point]) => point!);

  it('are closed: every point is the end of two segments', () => {
    const values = Array.from(
      { length: 100 },
      (_, index) => 255 * Math.exp(-(((index % 10) - 4) ** 2 + (Math.floor(index / 10) - 6) ** 2) / 6),
    );
    const points = ends(outline(map(values, 10), 100));
    expect(points.length).toBeGreaterThan(8);
    for (const point of points) expect(points.filter((one) => one === point)).toHaveLength(2);
  });

  it('go round the whole map at threshold 0 and vanish above the highest value', () => {
    expect(outline(map([1, 2, 3, 4], 2), 300)).toBe('');
    const around = ends(outline(map([10, 10, 10, 10], 2), 0)).flatMap((point) => point.split(',').map(Number));
    expect(Math.min(...around)).toBeLessThan(0.6);
    expect(Math.max(...around)).toBeGreaterThan(1.4);
  });

  it('cross an edge where the value is the threshold', () => {
    // One row, rising 0..4: the border at 1 lies at x = 0.5 + 1.
    const path = outline(map([0, 1, 2, 3, 4], 5), 1);
    expect(Math.min(...ends(path).map((point) => Number(point.split(',')[0])))).toBeCloseTo(1.5, 1);
  });
});

describe('colours', () => {
  it("are matplotlib's inferno within 2 of 255 (its own table, matplotlib 3.11)", () => {
    const published = { 0: [0, 0, 4], 64: [87, 16, 110], 128: [188, 55, 84], 192: [249, 142, 9], 255: [252, 255, 164] };
    for (const [index, colour] of Object.entries(published)) {
      for (const [channel, value] of inferno(Number(index) / 255).entries())
        expect(Math.abs(value - colour[channel]!)).toBeLessThanOrEqual(2);
    }
  });

  it('put zero in the middle of grey and of red-blue', () => {
    expect(grey(0.5)).toEqual([128, 128, 128]);
    expect(redBlue(0.5)).toEqual([0, 0, 0]);
    expect(redBlue(1)[0]).toBeGreaterThan(redBlue(1)[2]);
    expect(redBlue(0)[2]).toBeGreaterThan(redBlue(0)[0]);
  });

  it('paint opaque pixels', () => {
    expect([...paint(map([0, 255], 2), grey, 255)]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
  });
});

describe('the view', () => {
  it('zooms about a point that stays where it is', () => {
    const zoomed = zoomAt(START, 2, 0.25, 0.75);
    const at = (share: number, offset: number): number => (share - offset) / zoomed.zoom;
    expect([at(0.25, zoomed.x), at(0.75, zoomed.y)]).toEqual([0.25, 0.75]);
    expect(zoomAt(zoomed, 0.5, 0.25, 0.75)).toEqual(START);
  });

  it('never leaves the pane empty', () => {
    expect(pan(START, 0.4, -0.4)).toEqual(START);
    expect(pan(zoomAt(START, 2, 0, 0), -9, 9)).toMatchObject({ x: -1, y: 0 });
    expect(zoomAt(START, 1000, 0.5, 0.5).zoom).toBe(16);
  });

  it('windows along a straight line through its centre', () => {
    expect(windowLine(START)).toEqual({ slope: 1, intercept: 0 });
    const { slope, intercept } = windowLine(adjustWindow(START, -0.5, 0.1));
    expect(slope * 0.6 + intercept).toBeCloseTo(0.5);
    expect(slope).toBe(2);
    expect(adjustWindow(START, -9, 9)).toMatchObject({ width: 0.02, centre: 1 });
  });
});

describe('findings', () => {
  const run = (id: string, method: string, active = false) => ({
    id,
    name: id,
    active,
    method: { name: method, label: method },
    dataSet: null,
  });
  const explanation = (finding: string, runId: string, probability: number | null) =>
    ({ finding: { name: finding, label: finding }, run: run(runId, 'BASELINE'), probability, logit: 2 }) as unknown as Explanation;
  const image = {
    explanations: [
      explanation('Mass', 'a', 0.2),
      explanation('Hernia', 'a', null),
      explanation('Edema', 'a', 0.1),
      explanation('Edema', 'b', 0.9),
    ],
  };

  it('stand by the highest calibrated probability, those without one last', () => {
    const rows = findingRows(image, ['a', 'b']);
    expect(rows.map(({ name }) => name)).toEqual(['Edema', 'Mass', 'Hernia']);
    expect(rows[0]?.answers.map((answer) => answer?.probability)).toEqual([0.1, 0.9]);
    expect(rows[1]?.answers[1]).toBeUndefined();
    expect(findingRows(image, ['b']).map(({ name }) => name)).toEqual(['Edema']);
  });

  it('keep their order while answers are awaited', () => {
    const findings = ['Mass', 'Nodule', 'Edema', 'Hernia'].map((name) => ({ name, label: name }));
    expect(awaitedRows(image, ['a'], findings).map(({ name, answers }) => [name, answers[0] !== undefined])).toEqual([
      ['Mass', true],
      ['Nodule', false],
      ['Edema', true],
      ['Hernia', true],
    ]);
  });

  it('show a score, not a probability, where there is no calibration', () => {
    expect(score({ probability: 0.3, logit: 9 })).toEqual({ value: 0.3, calibrated: true });
    expect(score({ probability: null, logit: 0 })).toEqual({ value: 0.5, calibrated: false });
  });

  it('are shown for the runs in use, else for the newest of each method', () => {
    expect(defaultRuns([run('a', 'BASELINE'), run('b', 'BASELINE', true), run('c', 'ROBUST', true)] as never)).toEqual(['b', 'c']);
    expect(defaultRuns([run('a', 'BASELINE'), run('b', 'BASELINE'), run('c', 'ROBUST')] as never)).toEqual(['b', 'c']);
  });
});
