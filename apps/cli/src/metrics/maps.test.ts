import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { requireOrSkip } from '@cxr-lens/data/testing';
import { localizationReference, referencePairs } from '@cxr-lens/eval/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';
import reference from './tests/reference.json' with { type: 'json' };

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-maps-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pairs = referencePairs(localizationReference.seed);
type Pair = (typeof pairs)[number];
const stem = ({ image }: Pair) => image.replace('.png', '');
const HEADER = 'Image Index,Finding Label,Bbox x,Bbox y,Bbox w,Bbox h';

interface Numbers {
  descriptor: string;
  bytes(values: Float64Array): Uint8Array;
}

const swapped = (values: Float64Array | Float32Array, bytesEach: 4 | 8): Uint8Array => {
  const buffer = Buffer.from(values.slice().buffer);
  return bytesEach === 4 ? buffer.swap32() : buffer.swap64();
};
const TYPES = {
  '<f4': { descriptor: '<f4', bytes: (values) => new Uint8Array(Float32Array.from(values).buffer) },
  '>f4': { descriptor: '>f4', bytes: (values) => swapped(Float32Array.from(values), 4) },
  '<f8': { descriptor: '<f8', bytes: (values) => new Uint8Array(values.slice().buffer) },
  '>f8': { descriptor: '>f8', bytes: (values) => swapped(values, 8) },
  // the reference's values are multiples of 2^-16
  '<i8': { descriptor: '<i8', bytes: (values) => new Uint8Array(BigInt64Array.from(values, (value) => BigInt(value * 65536)).buffer) },
} satisfies Record<string, Numbers>;

function npy(
  { map, height, width }: Pick<Pair, 'map' | 'height' | 'width'>,
  type: Numbers,
  { fortran = false, change = (value: number) => value } = {},
): Buffer {
  const values = Float64Array.from(map, change);
  const ordered = fortran ? values.map((_, i) => values[(i % height) * width + Math.floor(i / height)]!) : values;
  const header = `{'descr': '${type.descriptor}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${height}, ${width}), }\n`;
  const start = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length)}\x00${header}`, 'latin1');
  return Buffer.concat([start, type.bytes(ordered)]);
}

/** A folder of the reference's maps and its box list. */
function given(
  name: string,
  content: (pair: Pair) => Buffer,
  {
    file = (pair: Pair) => `${stem(pair)}.${pair.finding}.npy`,
    image = (pair: Pair) => pair.image,
    separator = ',',
    patient = (_: Pair): string => '',
  } = {},
) {
  const maps = path.join(folder, name);
  mkdirSync(maps);
  for (const pair of pairs) writeFileSync(path.join(maps, file(pair)), content(pair));
  const boxes = path.join(folder, `${name}.csv`);
  const line = (pair: Pair) =>
    [image(pair), pair.finding, pair.box.x, pair.box.y, pair.box.width, pair.box.height, patient(pair)].join(separator);
  writeFileSync(boxes, [`${HEADER},who`.replaceAll(',', separator), ...pairs.map(line)].join('\n'));
  return { maps, boxes };
}

async function measure({ maps, boxes }: { maps: string; boxes: string }, ...more: string[]) {
  const seed = String(localizationReference.foldSeed);
  const { code, stdout, stderr } = await runCli(
    'metrics',
    'localization',
    '--maps',
    maps,
    '--boxes',
    boxes,
    '--seed',
    seed,
    '--json',
    ...more,
  );
  if (code !== 0) throw new Error(stderr);
  return { result: JSON.parse(stdout), stderr };
}

function expectReference(findings: Record<string, { n: number; meanIou: number; accuracy: Record<string, number> }>): void {
  for (const [finding, expected] of Object.entries(localizationReference.findings)) {
    const row = findings[finding]!;
    expect(row.n).toBe(expected.pairs);
    if (expected.accuracy === null) continue;
    for (const [t, value] of Object.values(row.accuracy).entries()) expect(value).toBeCloseTo(expected.accuracy[t]!, 9);
  }
}

describe('maps are read as they are', () => {
  it.each<[string, Numbers, Parameters<typeof npy>[2]]>([
    ['float32 in Fortran order', TYPES['<f4'], { fortran: true }],
    ['float32, big endian', TYPES['>f4'], {}],
    ['float64', TYPES['<f8'], {}],
    ['float64, big endian, Fortran order', TYPES['>f8'], { fortran: true }],
    ['int64', TYPES['<i8'], { fortran: true }],
    ['float64 of 2^20 and tiny differences, which float32 would flatten', TYPES['<f8'], { change: (value) => 2 ** 20 + value * 2 ** -10 }],
    ['float64 below the range of float32', TYPES['<f8'], { change: (value) => value * 2 ** -200 }],
    ['float64 beyond the range of float32', TYPES['<f8'], { change: (value) => (value - 1) * 2 ** 1020 }],
  ])('%s', async (name, type, options) => {
    const { result } = await measure(given(name, (pair) => npy(pair, type, options)));
    expectReference(result.findings);
    expect(result.counts).toEqual({ pairs: pairs.length, boxesWithoutMap: 0, mapsWithoutBox: 0, mapsOfFindingsWithoutBoxes: 0 });
  });

  it('of boxes with paths and semicolons, maps of other names, and findings without boxes', async () => {
    const where = given('names', (pair) => npy(pair, TYPES['<f4']), {
      file: (pair) => `${pair.image}.${pair.finding === 'Effusion' ? 'pleural effusion' : pair.finding.toLowerCase()}.npy`,
      image: (pair) => `images/${stem(pair)}.jpg`,
      separator: ';',
    });
    for (const name of ['Hernia', 'Pleural_Thickening', 'Fracture']) {
      writeFileSync(path.join(where.maps, `${stem(pairs[0]!)}.${name}.npy`), npy(pairs[0]!, TYPES['<f4']));
    }
    writeFileSync(path.join(where.maps, 'nobody.Mass.npy'), npy(pairs[0]!, TYPES['<f4']));
    const { result, stderr } = await measure(where);
    expectReference(result.findings);
    expect(result.counts).toEqual({ pairs: pairs.length, boxesWithoutMap: 0, mapsWithoutBox: 1, mapsOfFindingsWithoutBoxes: 3 });
    expect(stderr).toContain('1 map without a box left out');
    expect(stderr).toContain('3 maps of findings that no box list marks left out: Fracture 1, Hernia 1, Pleural_Thickening 1');
  });

  it.for(['f6-maps-of-14-findings', 'f7-fortran-order'] as const)("a researcher's maps: %s", async (name, ctx) => {
    const shared = requireOrSkip(ctx, 'samples', `failing-inputs/researcher/${name}`);
    const { result } = await measure({ maps: path.join(shared, 'maps'), boxes: path.join(shared, 'boxes.csv') }, '--seed', '0');
    const expected = reference.given.maps[name];
    expect(result.findings.Mass).toMatchObject({ n: expected.n, accuracy: expected.accuracy });
    expect(result.findings.Mass.meanIou).toBeCloseTo(expected.meanIou, 6); // the reference resamples in float64
    expect(result.counts.mapsOfFindingsWithoutBoxes).toBe(name === 'f6-maps-of-14-findings' ? 1 : 0);
  });
});

describe('patients', () => {
  const plain = (pair: Pair) => npy(pair, TYPES['<f4']);

  it('come from NIH names, a column of the boxes, or a file, and give the same folds and intervals', async () => {
    const where = given('by-name', plain);
    const byName = await measure(where);
    expect(byName.result.patients).toBe(new Set(pairs.map(({ patientId }) => patientId)).size);
    expect(byName.result.findings.Atelectasis.intervals['0.1']).toHaveLength(2);
    // other names, so that only the column or the file knows the patients
    const names = { image: (pair: Pair) => `scan-${stem(pair)}`, file: (pair: Pair) => `scan-${stem(pair)}.${pair.finding}.npy` };
    const byColumn = await measure(given('by-column', plain, { ...names, patient: ({ patientId }) => patientId }), '--patients', 'who');
    expect(byColumn.result).toEqual(byName.result);
    const file = path.join(folder, 'patients.csv');
    writeFileSync(file, ['image\tpatient', ...pairs.map((pair) => `scan-${stem(pair)}.png\t${pair.patientId}`)].join('\n'));
    const other = given('by-file', plain, names);
    expect((await measure(other, '--patients', file)).result).toEqual(byName.result);
    const without = await measure(other);
    expect(without.result.patients).toBeNull();
    const { stdout } = await runCli('metrics', 'localization', '--maps', other.maps, '--boxes', other.boxes);
    expect(stdout).toContain('--patients names them');
  });

  it('are the same for a path as for the name alone', async () => {
    const where = given('by-path', plain, { image: (pair) => `/data/images_001/${pair.image}` });
    expect((await measure(where)).result.patients).toBe(new Set(pairs.map(({ patientId }) => patientId)).size);
  });
});

describe('a folder that would be read wrongly is refused', () => {
  const values = Float32Array.of(1, 2, 3, 4);
  const map = { map: values, height: 2, width: 2 };
  const box = (image: string) => `${image},Mass,10,10,100,100`;

  it.each<[string, [string, Buffer][], string[], RegExp]>([
    [
      'two maps of one image',
      [
        ['a.Mass.npy', npy(map, TYPES['<f4'])],
        ['a.png.mass.npy', npy(map, TYPES['<f4'])],
      ],
      [box('a.png')],
      /holds two Mass maps of a: a\.Mass\.npy and a\.png\.mass\.npy\. Remove one/,
    ],
    [
      'two images of one name',
      [['a.Mass.npy', npy(map, TYPES['<f4'])]],
      [box('x/a.png'), box('y/a.png')],
      /a\.Mass\.npy is ambiguous: .*x\/a\.png and y\/a\.png/,
    ],
    ['a name without a finding', [['a.png.npy', npy(map, TYPES['<f4'])]], [box('a.png')], /a\.png\.npy: expected a name like/],
    [
      'a box in hexadecimal numbers',
      [['a.Mass.npy', npy(map, TYPES['<f4'])]],
      ['a.png,Mass,0x10,10,100,100'],
      /line 2: the box of a\.png is "0x10,10,100,100"; expected four numbers/,
    ],
    [
      'an infinite value',
      [['a.Mass.npy', npy(map, TYPES['<f8'], { change: (value) => (value === 3 ? Infinity : value + 0.1) })]],
      [box('a.png')],
      /map value 2 is Infinity/,
    ],
    ['a map of text', [['a.Mass.npy', Buffer.from('<html>')]], [box('a.png')], /a\.Mass\.npy is no \.npy file/],
  ])('%s', async (name, files, lines, sentence) => {
    const maps = path.join(folder, name);
    mkdirSync(maps);
    for (const [file, content] of files) writeFileSync(path.join(maps, file), content);
    const boxes = path.join(folder, 'refused.csv');
    writeFileSync(boxes, [HEADER, ...lines].join('\n'));
    const { code, stdout, stderr } = await runCli('metrics', 'localization', '--maps', maps, '--boxes', boxes);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(sentence);
  });
});
