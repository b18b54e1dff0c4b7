import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cxrHome, getObject } from '@cxr-lens/data';
import { requireOrSkip, sixteenBitPng } from '@cxr-lens/data/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeExplanations, makeRun, noisePng, startTestApi, type TestApi } from '../testing.ts';
import { makeBoxedDataSet, makeNoiseDataSet, makeSixteenBitDataSet } from './boxed.fixture.ts';
import { sopReference } from './identity.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  await api.prisma.study.deleteMany();
  await api.prisma.run.deleteMany();
  await makeRun(api.prisma, 'baseline', { id: 'demo-baseline' });
});

interface UploadAnswer {
  studies: {
    id: string;
    studyInstanceUid: string;
    jobId: string | null;
    images: { id: string; fileName: string | null; jobId: string | null }[];
  }[];
  rejected: { fileName: string | null; code: string; message: string }[];
}

const HTML = Buffer.from('<!DOCTYPE html><html><body>Please sign in</body></html>');

async function postForm(files: readonly { name: string; bytes: Uint8Array }[]): Promise<{ status: number; answer: UploadAnswer }> {
  const form = new FormData();
  form.append('note', 'a text field is no file');
  for (const { name, bytes } of files) form.append('file', new Blob([new Uint8Array(bytes)]), name);
  const response = await fetch(`${api.url}/studies`, { method: 'POST', body: form });
  return { status: response.status, answer: (await response.json()) as UploadAnswer };
}

async function postBare(bytes: Uint8Array, type = 'image/png', name = ''): Promise<{ status: number; answer: UploadAnswer }> {
  const url = `${api.url}/studies${name && `?name=${encodeURIComponent(name)}`}`;
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(bytes) });
  return { status: response.status, answer: (await response.json()) as UploadAnswer };
}

/** multipart/related as a PACS sends it. */
async function postStow(parts: readonly Uint8Array[]): Promise<{ status: number; type: string | null; answer: DicomAnswer }> {
  const body = Buffer.concat([
    ...parts.flatMap((bytes) => [Buffer.from('--xx\r\nContent-Type: application/dicom\r\n\r\n'), bytes, Buffer.from('\r\n')]),
    Buffer.from('--xx--\r\n'),
  ]);
  const headers = { 'content-type': 'multipart/related; type="application/dicom"; boundary=xx', accept: 'application/dicom+json' };
  const response = await fetch(`${api.url}/studies`, { method: 'POST', headers, body });
  return { status: response.status, type: response.headers.get('content-type'), answer: (await response.json()) as DicomAnswer };
}

type DicomAnswer = Record<string, { vr: string; Value: Record<string, { vr: string; Value: unknown[] }>[] }>;

describe('a picture', () => {
  it('is stored as it came, and queued for every active finished run', async () => {
    await makeRun(api.prisma, 'robust', { id: 'demo-robust' });
    await makeRun(api.prisma, 'baseline', { id: 'old', active: false });
    await makeRun(api.prisma, 'baseline', { id: 'new', state: 'TRAINING' });
    const png = await noisePng(1);
    const { status, answer } = await postForm([{ name: 'Thorax ä.png', bytes: png }]);
    expect(status).toBe(200);
    expect(answer).toMatchObject({ studies: [{ images: [{ fileName: 'Thorax ä.png' }] }], rejected: [] });
    const [study] = answer.studies;
    expect(study!.studyInstanceUid).toMatch(/^2\.25\.\d{30,39}$/);
    const image = await api.prisma.image.findUniqueOrThrow({ where: { id: study!.images[0]!.id } });
    expect(Buffer.from(await getObject(image.objectKey)).equals(png)).toBe(true);
    expect(image).toMatchObject({ format: 'png', width: 64, height: 64 });
    const job = await api.prisma.job.findUniqueOrThrow({ where: { id: study!.jobId! } });
    expect(job).toMatchObject({ kind: 'EXPLAIN', state: 'QUEUED', imageId: image.id });
    expect(job.input).toMatchObject({ imageId: image.id, runIds: ['demo-baseline', 'demo-robust'] });
  });

  it('sent again changes nothing and answers the same', async () => {
    const png = await noisePng(2);
    const first = await postBare(png, 'image/png', 'a.png');
    const second = await postForm([
      { name: 'b.png', bytes: png },
      { name: 'c.png', bytes: png },
    ]);
    expect(second.answer.studies).toEqual(first.answer.studies);
    expect(await api.prisma.image.count()).toBe(1);
    expect(await api.prisma.job.count({ where: { imageId: first.answer.studies[0]!.images[0]!.id } })).toBe(1);
  });

  it.each([
    ['changed', (file: string) => writeFileSync(file, 'other bytes')],
    ['cut off', (file: string) => truncateSync(file, 10)],
    ['gone', (file: string) => rmSync(file)],
  ])('sent again is whole again where its stored bytes are %s', async (_, harm) => {
    const png = await noisePng(6);
    const first = await postBare(png);
    const { objectKey } = await api.prisma.image.findFirstOrThrow();
    harm(path.join(cxrHome(), 'objects', objectKey.slice(0, 2), objectKey));
    const second = await postBare(png);
    expect(second).toEqual(first);
    expect(Buffer.from(await getObject(objectKey)).equals(png)).toBe(true);
  });

  it('sent ten times at once is one image with one job', async () => {
    const png = await noisePng(3);
    const answers = await Promise.all(Array.from({ length: 10 }, () => postBare(png)));
    expect(new Set(answers.map(({ answer }) => answer.studies[0]?.images[0]?.id)).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(await api.prisma.job.count()).toBe(1);
  });

  it('is taken without a job while no run is in use, and explained when sent again after', async () => {
    await api.prisma.run.deleteMany();
    const png = await noisePng(4);
    const { answer } = await postBare(png);
    expect(answer.studies[0]).toMatchObject({ jobId: null });
    const run = await makeRun(api.prisma, 'baseline');
    const again = await postBare(png);
    expect(again.answer.studies[0]!.jobId).not.toBeNull();
    await api.prisma.job.updateMany({ data: { state: 'DONE' } });
    const image = await api.prisma.image.findUniqueOrThrow({ where: { id: again.answer.studies[0]!.images[0]!.id } });
    await makeExplanations(api.prisma, image, run);
    expect((await postBare(png)).answer.studies[0]!.jobId).toBe(again.answer.studies[0]!.jobId);
  });

  it.each([
    ['attachment; filename="../x/chest.png"', 'chest.png'],
    ["attachment; filename*=UTF-8''Thorax%20%C3%A4.png", 'Thorax ä.png'],
    ["attachment; filename*=UTF-8''%E0; filename=chest.png", 'chest.png'],
    ['attachment; filename="a\\"b.png"', 'a"b.png'],
    ['inline', null],
  ])('is taken as octets with a name in the header: %s', async (disposition, name) => {
    const headers = { 'content-type': 'application/octet-stream', 'content-disposition': disposition };
    const response = await fetch(`${api.url}/studies`, { method: 'POST', headers, body: new Uint8Array(await noisePng(5)) });
    expect(((await response.json()) as UploadAnswer).studies[0]!.images[0]!.fileName).toBe(name);
  });
});

describe('an upload beside the deletion of its study', () => {
  it('is stored or deleted, and never an error of ours', async (ctx) => {
    const good = readFileSync(`${requireOrSkip(ctx, 'dicom', 'dicom-sample')}/CR-MONO1-10-chest_explicitLE.dcm`);
    let stored = 0;
    for (let round = 0; round < 4; round += 1) {
      const sending = Array.from({ length: 3 }, () => postBare(good, 'application/dicom'));
      const deleting = (async () => {
        for (let step = 0; step < 6; step += 1) {
          const studies = await api.prisma.study.findMany();
          await Promise.all(studies.map(({ id }) => api.ask('mutation ($id: ID!) { deleteStudy(id: $id) }', { id })));
        }
      })();
      for (const { status, answer } of await Promise.all(sending)) {
        expect([status, answer.rejected]).toEqual([200, []]);
        stored += 1;
      }
      await deleting;
    }
    expect(stored).toBe(12);
    for (const { objectKey } of await api.prisma.image.findMany()) await getObject(objectKey);
  });
});

describe('a known image', () => {
  it('gets its boxes where name and pixels are those of a registered data set', async (ctx) => {
    const folder = requireOrSkip(ctx, 'samples', 'nih-sample');
    const { name, bytes, other } = await makeBoxedDataSet(api.prisma, folder);
    const same = await postForm([{ name, bytes }]);
    const image = await api.prisma.image.findUniqueOrThrow({
      where: { id: same.answer.studies[0]!.images[0]!.id },
      include: { boxes: true },
    });
    expect(image.boxes.length).toBeGreaterThan(0);
    expect(image.view).toMatch(/^(PA|AP)$/);
    for (const { x, y, width, height } of image.boxes) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x + width).toBeLessThanOrEqual(image.width + 1);
      expect(y + height).toBeLessThanOrEqual(image.height + 1);
    }
    const forged = await postForm([{ name, bytes: other }]);
    const stranger = await api.prisma.image.findUniqueOrThrow({
      where: { id: forged.answer.studies[0]!.images[0]!.id },
      include: { boxes: true },
    });
    expect(stranger.boxes).toEqual([]);
  });

  it('gets them from 16-bit files too, read as its data set read them', async () => {
    const { name, bytes } = await makeSixteenBitDataSet(api.prisma, sixteenBitPng);
    const { answer } = await postForm([{ name, bytes }]);
    const image = { imageId: answer.studies[0]!.images[0]!.id };
    expect(await api.prisma.knownBox.findMany({ where: image })).toEqual([{ ...image, finding: 'Mass', x: 1, y: 2, width: 3, height: 4 }]);
  });
});

describe('a damaged data set', () => {
  it.each([
    ['cut off', (file: string) => truncateSync(file, 4096)],
    ['overwritten', (file: string) => writeFileSync(file, new Uint8Array(statSync(file).size))],
  ])('that was %s while it was open refuses no upload, shows no path, and is used again once it is whole', async (how, harm) => {
    const bytes = await noisePng(8);
    const name = `${how}.png`;
    await makeNoiseDataSet(api.prisma, bytes, name);
    const { path: file } = await api.prisma.dataSet.findFirstOrThrow({ orderBy: { createdAt: 'desc' } });
    const whole = readFileSync(file);
    const views = async (): Promise<(string | null)[]> => {
      await api.prisma.study.deleteMany();
      const { status, answer } = await postForm([{ name, bytes }]);
      expect([status, answer.rejected]).toEqual([200, []]);
      return (await api.prisma.image.findMany()).map(({ view }) => view);
    };
    expect(await views()).toEqual(['PA']);
    harm(file);
    expect(await views()).toEqual([null]);
    expect(await views()).toEqual([null]);
    expect(api.logs.some(({ msg }) => msg === 'an upload is not compared with a damaged data set')).toBe(true);
    writeFileSync(file, whole);
    expect(await views()).toEqual(['PA']);
    await api.prisma.dataSet.deleteMany();
  });
});

describe('bad input', () => {
  it('an HTML page named .png is refused and says what it is', async () => {
    const { status, answer } = await postForm([{ name: 'chest.png', bytes: HTML }]);
    expect(status).toBe(400);
    expect(answer).toMatchObject({ studies: [], rejected: [{ fileName: 'chest.png', code: 'BAD_INPUT' }] });
    expect(answer.rejected[0]!.message).toContain('HTML page');
  });

  it('a picture that is cut off is CORRUPT', async () => {
    const png = await noisePng(6, 256);
    const { status, answer } = await postBare(png.subarray(0, png.length / 2), 'image/png', 'half.png');
    expect(status).toBe(422);
    expect(answer.rejected).toMatchObject([{ fileName: 'half.png', code: 'CORRUPT' }]);
  });

  it('the good ones of a mixed upload are stored, the others listed', async () => {
    const png = await noisePng(7);
    const { status, answer } = await postForm([
      { name: 'page.png', bytes: HTML },
      { name: 'good.png', bytes: png },
      { name: 'empty.png', bytes: Buffer.alloc(0) },
    ]);
    expect(status).toBe(200);
    expect(answer.studies.map(({ images }) => images[0]!.fileName)).toEqual(['good.png']);
    expect(answer.rejected.map(({ fileName, code }) => [fileName, code])).toEqual([
      ['page.png', 'BAD_INPUT'],
      ['empty.png', 'BAD_INPUT'],
    ]);
  });

  it.each([
    ['no file', { 'content-type': 'multipart/form-data; boundary=xx' }, '--xx--\r\n', 400, 'BAD_INPUT'],
    ['no multipart at all', { 'content-type': 'multipart/related; boundary=xx' }, 'hello', 400, 'BAD_INPUT'],
    ['a form of curl -d', { 'content-type': 'application/x-www-form-urlencoded' }, 'x=y', 415, 'UNSUPPORTED'],
    ['an empty body', { 'content-type': 'image/png' }, '', 400, 'BAD_INPUT'],
  ])('%s has its code', async (_what, headers, body, status, code) => {
    const response = await fetch(`${api.url}/studies`, { method: 'POST', headers, body });
    const answer = (await response.json()) as { code?: string; rejected?: { code: string }[] };
    expect([response.status, answer.code ?? answer.rejected?.[0]?.code]).toEqual([status, code]);
  });

  it('a request that breaks off in the middle keeps what came before', async () => {
    const png = await noisePng(8);
    const part = (name: string): Buffer => Buffer.from(`--xx\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\n`);
    const body = Buffer.concat([part('a.png'), png, Buffer.from('\r\n'), part('b.png'), png.subarray(0, 100)]);
    const headers = { 'content-type': 'multipart/form-data; boundary=xx' };
    const response = await fetch(`${api.url}/studies`, { method: 'POST', headers, body: new Uint8Array(body) });
    const answer = (await response.json()) as UploadAnswer;
    expect(answer.studies[0]!.images[0]!.fileName).toBe('a.png');
    expect(answer.rejected.length).toBeGreaterThan(0);
    expect(await api.prisma.image.count()).toBe(1);
  });
});

describe('DICOM', () => {
  const STORED = 'CR-MONO1-10-chest_explicitLE.dcm';

  it('by STOW-RS is stored once, and each instance is answered for', async (ctx) => {
    const folder = requireOrSkip(ctx, 'dicom', 'dicom-sample');
    const good = readFileSync(`${folder}/${STORED}`);
    const compressed = readFileSync(`${folder}/RG1_J2KI_mono1_15bit.dcm`);
    const page = readFileSync(`${folder}/html_page_named.dcm`);
    const { status, type, answer } = await postStow([good, compressed, page, good]);
    expect([status, type]).toEqual([202, 'application/dicom+json']);
    expect(answer['00081199']!.Value).toHaveLength(2);
    const image = await api.prisma.image.findFirstOrThrow({ include: { study: true } });
    expect(answer['00081199']!.Value[0]!['00081155']!.Value).toEqual([image.sopInstanceUid]);
    expect(answer['00081199']!.Value[0]!['00081150']!.Value[0]).toMatch(/^1\.2\.840\.10008\.5\.1\.4\.1\.1\./);
    const [failed] = answer['00081198']!.Value;
    expect(failed!['00081155']!.Value[0]).toMatch(/^[\d.]+$/);
    expect(failed!['00081197']).toEqual({ vr: 'US', Value: [0xc122] });
    expect(answer['0008119A']!.Value[0]!['00081197']!.Value).toEqual([0xc000]);
    expect(await api.prisma.image.count()).toBe(1);
    expect(image.study.studyInstanceUid).toMatch(/^[\d.]+$/);

    const again = await postStow([good]);
    expect(again.status).toBe(200);
    expect(await api.prisma.image.count()).toBe(1);
    expect(Object.keys(again.answer)).toEqual(['00081199']);
  });

  it('whose UID is none gets one of its content, the same each time', async (ctx) => {
    const bytes = Buffer.from(readFileSync(`${requireOrSkip(ctx, 'dicom', 'dicom-sample')}/${STORED}`));
    const uid = sopReference(bytes).sopInstanceUid!;
    for (let at = bytes.indexOf(uid); at >= 0; at = bytes.indexOf(uid, at)) bytes.write('x'.repeat(uid.length), at);
    const answers = [await postBare(bytes, 'application/dicom'), await postBare(bytes, 'application/dicom')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await api.prisma.image.findMany()).map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([
      expect.stringMatching(/^2\.25\.\d+$/),
    ]);
  });

  it('by STOW-RS answers 409 when nothing could be stored', async () => {
    const { status, answer } = await postStow([HTML]);
    expect(status).toBe(409);
    expect(Object.keys(answer)).toEqual(['0008119A']);
  });

  it('of one UID with other content is a CONFLICT, and what is stored stays', async (ctx) => {
    const folder = requireOrSkip(ctx, 'dicom', 'dicom-sample');
    const good = readFileSync(`${folder}/${STORED}`);
    await postStow([good]);
    const other = Buffer.from(good);
    other[other.length - 1] = other.at(-1)! ^ 1;
    const { status, answer } = await postStow([other]);
    expect(status).toBe(409);
    expect(answer['00081198']!.Value[0]!['00081197']!.Value).toEqual([0x0111]);
    const image = await api.prisma.image.findFirstOrThrow();
    expect(Buffer.from(await getObject(image.objectKey)).equals(good)).toBe(true);
  });

  it('is taken bare and in a form too, without a preamble too', async (ctx) => {
    const folder = requireOrSkip(ctx, 'dicom', 'dicom-sample');
    const bare = await postBare(readFileSync(`${folder}/NIH_00000001_000_google.dcm`), 'application/dicom');
    const form = await postForm([{ name: 'x.dcm', bytes: readFileSync(`${folder}/CR-MONO1-10-chest_nopreamble_implicit.dcm`) }]);
    expect([bare.status, form.status]).toEqual([200, 200]);
    const noPixels = await postBare(readFileSync(`${folder}/Database_Issue56-NoPixelData.dcm`), 'application/dicom');
    expect(noPixels.answer.rejected[0]!.code).toBe('BAD_INPUT');
  });
});
