import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FINDINGS, preprocessingOf, writeDurableSync } from '@cxr-lens/data';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readCard, readRun, runFiles, writeCard, writeRun } from './run-folder.ts';
import { type Card, CardSchema, defaultOptions, type Run, RunSchema } from './spec/index.ts';
import { temporaryFolder } from './tests/tiny-data.ts';

vi.mock('@cxr-lens/data', { spy: true });

const WEIGHTS = '1'.repeat(64);

const RUN: Run = RunSchema.parse({
  format: 1,
  id: 'r',
  name: 'r',
  method: 'baseline',
  preset: 'small',
  network: 'truncated-densenet121',
  inputSize: 96,
  featureShape: [12, 12, 132],
  data: null,
  parent: null,
  initialisation: 'he-normal',
  seed: 0,
  options: defaultOptions('baseline'),
  codeVersion: '0.1.0',
  engine: 'none',
  state: 'finished',
  error: null,
  epochs: [],
  bestEpoch: 1,
  stepsPerEpoch: 1,
  weightsSha256: WEIGHTS,
  createdAt: '2026-01-01T10:00:00.000Z',
  updatedAt: '2026-01-01T10:00:00.000Z',
  finishedAt: '2026-01-01T10:00:00.000Z',
});

/** A card told apart by the tolerance of its golden output. */
function card(tolerance: number): Card {
  const none = { platt: null, operatingPoint: null, reason: 'none', positives: 0, negatives: 0 };
  return CardSchema.parse({
    format: 1,
    findings: FINDINGS,
    inputSize: 96,
    featureShape: [12, 12, 132],
    pixelRange: [0, 1],
    normalisation: { mean: 0.5, std: 0.2, source: 'training images' },
    preprocessingVersion: preprocessingOf(null),
    pooling: 'average',
    weightsSha256: WEIGHTS,
    golden: { seed: 'golden', logits: FINDINGS.map(() => 0), tolerance },
    calibration: Object.fromEntries(FINDINGS.map((finding) => [finding, none])),
    camThresholds: null,
  });
}

describe('the card of a finished run', () => {
  let folder: string;
  const tolerance = (): number => readCard(folder).golden.tolerance;

  beforeEach(async () => {
    folder = path.join(await temporaryFolder(), 'r');
    const files = runFiles(folder);
    writeRun(files, { ...RUN, cardSha256: writeCard(files, card(1)) });
  });

  it('is read as it was written, and again after another was written', () => {
    expect(readCard(folder)).toEqual(card(1));
    const hash = writeCard(runFiles(folder), card(2));
    expect(readCard(folder)).toEqual(card(2));
    expect(readRun(folder)).toEqual({ ...RUN, cardSha256: hash });
  });

  it('is CORRUPT once a threshold is edited', () => {
    const file = runFiles(folder).card;
    writeFileSync(file, readFileSync(file, 'utf8').replace('"tolerance": 1', '"tolerance": 9'));
    expect(() => readCard(folder)).toThrow(expect.objectContaining({ code: 'CORRUPT', message: expect.stringMatching(/changed by hand/) }));
  });

  it('of 0.1.0, without a hash, is read, and gets its hash when it is next written', () => {
    const files = runFiles(folder);
    const { cardSha256: _, nextCardSha256: __, ...old } = readRun(folder);
    writeFileSync(files.run, JSON.stringify(old));
    expect(tolerance()).toBe(1);
    expect(readRun(folder).cardSha256).toBeNull();
    expect(readRun(folder).cardSha256).not.toBe(writeCard(files, card(2)));
    expect(readRun(folder).cardSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  // Three writes: either side of each is a point at which the process may be killed.
  it.each(
    [1, 2, 3].flatMap((write) => [
      [write, 'before'],
      [write, 'after'],
    ]) as [number, string][],
  )('loads after a kill at write %i, %s it, and can be written again after a second kill', async (killed, when) => {
    const real = (await vi.importActual<typeof import('@cxr-lens/data')>('@cxr-lens/data')).writeDurableSync;
    const killAt = (last: number): void => {
      let writes = 0;
      vi.mocked(writeDurableSync).mockImplementation((...args) => {
        writes += 1;
        if (writes < last || (writes === last && when === 'after')) real(...args);
        if (writes >= last) throw new Error('killed');
      });
    };
    const isEither = (a: number, b: number): void => expect([a, b]).toContain(tolerance());
    killAt(killed);
    expect(() => writeCard(runFiles(folder), card(2))).toThrow('killed');
    isEither(1, 2);
    const between = tolerance();
    for (const again of [1, 2, 3]) {
      killAt(again);
      expect(() => writeCard(runFiles(folder), card(3))).toThrow('killed');
      isEither(between, 3);
    }
    vi.mocked(writeDurableSync).mockImplementation(real);
    writeCard(runFiles(folder), card(4));
    expect(tolerance()).toBe(4);
    expect(readRun(folder).nextCardSha256).toBeNull();
  });
});
