import { encodeGreyPng } from '@cxr-lens/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { epsilonFigure, explanationFigure } from './explanation-figure.ts';
import type { EpsilonFigureInput, ExplanationFigureInput } from './picture.ts';
import { textWidth } from './svg.ts';

let png: Uint8Array;
beforeAll(async () => {
  png = await encodeGreyPng({ width: 4, height: 4, pixels: Uint8Array.from({ length: 16 }, (_, i) => i * 16) });
});

const box = { x: 256, y: 512, width: 128, height: 256 };
const image = () => ({ name: '<1>.png', finding: 'Mass' as const, picture: png, box });

function explanations(): ExplanationFigureInput {
  const one = (label: string, method: string) => ({ label, method, cam: png, saliency: png, note: 'IoU 0.4' });
  return {
    synthetic: true,
    rule: 'The first image <by name>.',
    rows: [
      {
        ...image(),
        explanations: [{ ...one('Baseline', 'baseline'), box: { x: 0, y: 0, width: 1024, height: 512 } }, one('Robust', 'robust')],
      },
    ],
  };
}

function epsilons(): EpsilonFigureInput {
  return {
    synthetic: false,
    rule: 'One Mass.',
    rows: [{ ...image(), saliencies: [0, 0.005, 0.02].map((epsilon) => ({ epsilon, saliency: png })) }],
  };
}

/** Position and size of every element of a kind. */
function places(svg: string, element: 'image' | 'rect', more = ''): number[][] {
  const pattern = new RegExp(`<${element} x="([\\d.]+)" y="([\\d.]+)" width="([\\d.]+)" height="([\\d.]+)"[^>]*${more}`, 'g');
  return [...svg.matchAll(pattern)].map((match) => match.slice(1, 5).map(Number));
}

/** The lines beneath the pictures, joined. */
function noteOf(svg: string): string {
  const lines = [...svg.matchAll(/<text x="16" y="(?:[\d.]+)" fill="#666666" font-size="10">(.*)<\/text>/g)].map((match) => match[1]!);
  return lines.slice(lines.findIndex((line) => line.startsWith('White'))).join(' ');
}

/** Every text with its right end, about. */
function rightEnds(svg: string): number[] {
  return [...svg.matchAll(/<text x="([\d.]+)" y="[\d.]+" fill="#\w+" font-size="(\d+)"[^>]*>(.*)<\/text>/g)].map(
    ([, x, size, content]) => Number(x) + textWidth(content!.replace(/&\w+;/g, '.'), Number(size)),
  );
}

describe('explanationFigure', () => {
  it('shows the image, then CAM and saliency of every network, each with the box where it lies', () => {
    const svg = explanationFigure(explanations());
    const images = places(svg, 'image');
    expect(images).toHaveLength(5);
    const white = places(svg, 'rect', 'stroke="#FFFFFF"');
    // 180 pixels for 1024: a quarter from the left, half from the top
    expect(white).toEqual(images.map(([x, y]) => [x! + 45, y! + 90, 22.5, 45]));
    expect(places(svg, 'rect', 'stroke="#000000" stroke-width="3.5"')).toEqual(white);
    const [, cam] = images;
    expect(places(svg, 'rect', 'stroke="#0072B2" stroke-width="1.5" stroke-dasharray')).toEqual([[cam![0]!, cam![1]!, 180, 90]]);
    expect(svg).toContain('&lt;1&gt;.png');
    expect(svg).toContain('synthetic radiographs');
    expect(noteOf(svg)).toBe(
      "White: the box of the list. Dashed: around the largest part of the CAM's region at the threshold of the run's card. The first image &lt;by name&gt;.",
    );
    expect(svg).toContain(`href="data:image/png;base64,${Buffer.from(png).toString('base64')}"`);
  });

  it('keeps every word inside, however few networks there are', () => {
    const { rows, ...rest } = explanations();
    const [row] = rows;
    const rule = 'Of each pathology the image that a long rule names, which says how many there were, which was taken, and why. '.repeat(3);
    for (const count of [1, 2]) {
      const svg = explanationFigure({ ...rest, rule, rows: [{ ...row!, explanations: row!.explanations.slice(0, count) }] });
      expect(Math.max(...rightEnds(svg))).toBeLessThanOrEqual(Number(/width="(\d+)"/.exec(svg)![1]));
      expect(noteOf(svg)).toContain(rule.trim());
    }
  });

  it('takes data URIs, and images without a box', () => {
    const uri = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
    const [row] = explanations().rows;
    const svg = explanationFigure({ synthetic: false, rule: '', rows: [{ ...row!, picture: uri, box: null }] });
    expect(svg).not.toContain('stroke="#FFFFFF"');
    expect(svg).not.toContain('synthetic');
  });

  it('refuses what is no PNG, naming it, and rows that differ', () => {
    const [row] = explanations().rows;
    expect(() => explanationFigure({ synthetic: false, rule: '', rows: [{ ...row!, picture: 'javascript:x' }] })).toThrow(
      'image <1>.png is no PNG',
    );
    const [first] = row!.explanations;
    const jpeg = { ...first!, cam: Uint8Array.of(0xff, 0xd8, 0xff) };
    expect(() => explanationFigure({ synthetic: false, rule: '', rows: [{ ...row!, explanations: [jpeg] }] })).toThrow(
      'CAM by Baseline of <1>.png is no PNG',
    );
    const shorter = { ...row!, name: 'b.png', explanations: [first!] };
    expect(() => explanationFigure({ synthetic: false, rule: '', rows: [row!, shorter] })).toThrow(
      'b.png has the columns Baseline: expected Baseline, Robust',
    );
    expect(() => explanationFigure({ synthetic: false, rule: '', rows: [] })).toThrow('a figure without pictures');
  });
});

describe('epsilonFigure', () => {
  it('shows the image, then one saliency an epsilon, all with the box', () => {
    const svg = epsilonFigure(epsilons());
    expect(places(svg, 'image')).toHaveLength(4);
    expect(places(svg, 'rect', 'stroke="#FFFFFF"')).toHaveLength(4);
    for (const label of ['\u03B5 = 0<', '\u03B5 = 0.005<', '\u03B5 = 0.02<']) expect(svg).toContain(label);
    expect(svg).not.toContain('CAM');
    expect(noteOf(svg)).toBe('White: the box of the list. One Mass.');
  });
});
