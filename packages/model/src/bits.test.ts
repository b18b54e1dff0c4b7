import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encodeGreyPng, type GreyImage } from '@cxr-lens/data';
import { sixteenBitPng } from '@cxr-lens/data/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { explainEach, explainImages, type ImageExplanation } from './explain-images.ts';
import { loadRun } from './load-run.ts';
import { readCard, readRun } from './run-folder.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';
import { trainRun } from './train.ts';

let folder: string;

/** 8-bit pixels as 12 bits of a 16-bit PNG: stretched, they are the same pixels. */
function twelveBitPng({ width, height, pixels }: GreyImage): Promise<Buffer> {
  return sixteenBitPng(
    Uint16Array.from(pixels, (value) => Math.round((value * 4095) / 255)),
    { width, height },
  );
}

/** A small run on images of 12 bits in 16-bit files, and one on 8-bit files. */
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const twelve of [true, false]) {
    const inside = path.join(folder, twelve ? 'twelve' : 'eight');
    const { prepared } = await tinyData(inside, { encode: twelve ? twelveBitPng : encodeGreyPng });
    const options = { batchSize: 8, maxEpochs: 1, maxSteps: 2 };
    await trainRun({ method: 'baseline', preset: 'small', data: prepared, out: path.join(inside, 'run'), options });
  }
});

const runFolder = (name: 'twelve' | 'eight'): string => path.join(folder, name, 'run');

async function explain(name: 'twelve' | 'eight', bytes: Uint8Array): Promise<ImageExplanation> {
  const loaded = loadRun(runFolder(name));
  try {
    const [explained] = await explainImages(loaded, { images: [{ bytes, where: 'x.png' }], findings: ['Mass'] });
    return explained!;
  } finally {
    loaded.dispose();
  }
}

interface RunPapers {
  data: Record<string, unknown>;
  cardSha256?: string;
}

/** Does this with other papers in the run folder, which are put back; run.json does not name the card, as in 0.1.0. */
async function withPapers(
  name: 'twelve' | 'eight',
  edit: (card: Record<string, unknown>, run: RunPapers) => void,
  work: () => Promise<void>,
) {
  const files = ['card.json', 'run.json'].map((file) => path.join(runFolder(name), file));
  const before = files.map((file) => readFileSync(file, 'utf8'));
  const [card, run] = before.map((text) => JSON.parse(text)) as [Record<string, unknown>, RunPapers];
  delete run.cardSha256;
  edit(card, run);
  for (const [index, papers] of [card, run].entries()) writeFileSync(files[index]!, JSON.stringify(papers));
  try {
    await work();
  } finally {
    for (const [index, text] of before.entries()) writeFileSync(files[index]!, text);
  }
}

const picture = { width: 96, height: 96, pixels: Uint8Array.from({ length: 96 * 96 }, (_, i) => (i * 7 + (i >> 5)) % 256) };
/** 12 bits of a dark film: its greatest value takes only 10. */
const dark = () =>
  sixteenBitPng(
    Uint16Array.from(picture.pixels, (value) => value * 3),
    picture,
  );
const deep = () =>
  sixteenBitPng(
    Uint16Array.from(picture.pixels, (value) => value * 60),
    picture,
  );

describe('a run trained on 16-bit files of 12 bits', () => {
  it('says so in its papers, and one without them says no number', () => {
    expect(readCard(runFolder('twelve'))).toMatchObject({ preprocessingVersion: 'v2', bits: 12 });
    expect(readRun(runFolder('twelve')).data).toMatchObject({ preprocessingVersion: 'v2', bits: 12 });
    expect(readCard(runFolder('eight'))).toMatchObject({ preprocessingVersion: 'v1', bits: null });
  });

  it('has the same weights as one that was trained on the same pixels in 8-bit files', () => {
    expect(readCard(runFolder('twelve')).golden.logits).toEqual(readCard(runFolder('eight')).golden.logits);
  });

  it.each(['twelve', 'eight'] as const)('says the same of a picture in 8 bits and in 12 of 16: %s', async (name) => {
    const [plain, stretched] = [await explain(name, await encodeGreyPng(picture)), await explain(name, await twelveBitPng(picture))];
    expect(stretched.findings).toEqual(plain.findings);
    expect(plain).toMatchObject({ bits: null, preprocessingVersion: name === 'twelve' ? 'v2' : 'v1' });
    expect(stretched).toMatchObject({
      bits: { bits: 12, source: name === 'twelve' ? 'card' : 'guess', greatest: 4095, card: name === 'twelve' ? 12 : null },
      preprocessingVersion: 'v2',
    });
  });

  it("reads a dark 16-bit file by its card's bits, not by the fewest that hold it", async () => {
    expect((await explain('twelve', await dark())).bits).toMatchObject({ bits: 12, source: 'card', greatest: 765 });
    expect((await explain('eight', await dark())).bits).toMatchObject({ bits: 10, source: 'guess' });
  });

  it("reads a file that its card's bits do not hold by the file's own, and says so", async () => {
    expect((await explain('twelve', await deep())).bits).toEqual({ bits: 14, source: 'guess', greatest: 15300, card: 12 });
  });

  it('says the same where the own pixels stay in the process that decodes them', async () => {
    const files = [await dark(), await deep(), await encodeGreyPng(picture)];
    const alone: ImageExplanation[] = [];
    for (const bytes of files) alone.push(await explain('twelve', bytes));
    const loaded = loadRun(runFolder('twelve'));
    const requests = files.map((bytes) => ({ bytes, where: 'x.png', findings: ['Mass'] as const }));
    for await (const outcome of explainEach(loaded, requests)) {
      const { bits, preprocessingVersion, findings } = alone.shift()!;
      expect(outcome).toMatchObject({ status: 'fulfilled', value: { bits, preprocessingVersion } });
      if (outcome.status === 'fulfilled') expect(outcome.value.findings.Mass!.logit).toBeCloseTo(findings.Mass!.logit, 4);
    }
    expect(alone).toEqual([]);
    loaded.dispose();
  });
});

describe('run folders of other versions', () => {
  it('of 0.1.0, without bits, are read; 16-bit files decide for themselves', async () => {
    const old = (card: Record<string, unknown>, run: RunPapers): void => {
      delete card['bits'];
      delete run.data['bits'];
    };
    await withPapers('eight', old, async () => {
      expect(readRun(runFolder('eight')).data?.bits).toBeNull();
      expect((await explain('eight', await deep())).bits).toMatchObject({ bits: 14, source: 'guess', card: null });
    });
  });

  it('of a later preprocessing are refused', async () => {
    await withPapers(
      'eight',
      (card) => (card['preprocessingVersion'] = 'v3'),
      async () => {
        expect(() => loadRun(runFolder('eight'))).toThrow(
          expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringMatching(/preprocessing v3/) }),
        );
      },
    );
  });
});
