import { decodeImage, decodeNpy } from '@cxr-lens/data';
import { sixteenBitPng } from '@cxr-lens/data/testing';
import type { Explanation, Image } from '@cxr-lens/prisma';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeExplanations, makeRun, noisePng, startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
let image: Image;
let heart: Explanation;
let png: Buffer;

beforeAll(async () => {
  api = await startTestApi();
  png = await noisePng(1, 64);
  const run = await makeRun(api.prisma, 'baseline');
  const response = await fetch(`${api.url}/studies`, {
    method: 'POST',
    headers: { 'content-type': 'image/png' },
    body: new Uint8Array(png),
  });
  const { studies } = (await response.json()) as { studies: { images: { id: string }[] }[] };
  image = await api.prisma.image.findUniqueOrThrow({ where: { id: studies[0]!.images[0]!.id } });
  await makeExplanations(api.prisma, image, run);
  heart = await api.prisma.explanation.findFirstOrThrow({ where: { finding: 'Cardiomegaly' } });
});
afterAll(() => api.stop());

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${api.url}${path}`, { headers });
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
}

describe('GET /images/:id.png', () => {
  it('is the uploaded picture, kept for good', async () => {
    const { response, bytes } = await get(`/images/${image.id}.png`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect((await decodeImage(bytes, 'answer')).pixels).toEqual((await decodeImage(png, 'upload')).pixels);
    const again = await get(`/images/${image.id}.png`, { 'if-none-match': response.headers.get('etag')! });
    expect([again.response.status, again.bytes.length]).toEqual([304, 0]);
    const head = await fetch(`${api.url}/images/${image.id}.png`, { method: 'HEAD' });
    expect([head.status, head.headers.get('etag')]).toEqual([200, response.headers.get('etag')]);
  });

  it.each([
    ['by its greatest value', undefined, (value: number) => Math.round((value * 255) / 4095)],
    ['by its sBIT chunk', [14], (value: number) => Math.round((value * 255) / 16383)],
  ])('of a 16-bit file is as bright as its bits in use: %s', async (_name, sbit, grey) => {
    const samples = Uint16Array.from({ length: 64 }, (_, i) => i * 65);
    const body = new Uint8Array(await sixteenBitPng(samples, { width: 8, height: 8, ...(sbit && { sbit }) }));
    const response = await fetch(`${api.url}/studies`, { method: 'POST', headers: { 'content-type': 'image/png' }, body });
    const { studies } = (await response.json()) as { studies: { images: { id: string }[] }[] };
    const { pixels } = await decodeImage((await get(`/images/${studies[0]!.images[0]!.id}.png`)).bytes, 'answer');
    expect([...pixels]).toEqual([...samples].map(grey));
  });
});

interface Urls {
  overlayUrl: string;
  cam: { url: string; npyUrl: string };
  saliency: { url: string; npyUrl: string };
}

describe('GET /explanations/:id', () => {
  const urls = async () => {
    const { data } = await api.ask<{ image: { explanations: Urls[] } }>(
      `{ image(id: "${image.id}") { explanations(findings: [Cardiomegaly]) { overlayUrl cam { url npyUrl } saliency { url npyUrl } } } }`,
    );
    return data.image.explanations[0]!;
  };

  it('gives pictures at their sizes', async () => {
    const { overlayUrl, cam, saliency } = await urls();
    const size = async (url: string): Promise<number[]> => {
      const { response, bytes } = await get(url);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png']);
      const { width, height } = await decodeImage(bytes, url);
      return [width, height];
    };
    expect(await size(overlayUrl)).toEqual([64, 64]);
    expect(await size(cam.url)).toEqual([224, 224]);
    expect(await size(saliency.url)).toEqual([4, 4]);
  });

  it('draws the saliency grey with the sign: its greatest value is white, its least black', async () => {
    const { saliency } = await urls();
    const { pixels } = await decodeImage((await get(saliency.url)).bytes, 'saliency');
    expect([...pixels]).toEqual([...pixels].toSorted((a, b) => a - b));
    expect(pixels[0]! + pixels[15]!).toBeCloseTo(255, -1);
  });

  it('gives the raw maps as float32', async () => {
    const { cam, saliency } = await urls();
    const { data, shape } = decodeNpy((await get(cam.npyUrl)).bytes, 'cam');
    expect([shape, [...data]]).toEqual([
      [3, 3],
      [-4, -3, -2, -1, 0, 1, 2, 3, 4],
    ]);
    expect(decodeNpy((await get(saliency.npyUrl)).bytes, 'saliency').shape).toEqual([4, 4]);
  });

  it('keeps an address with its version for good, one without for now', async () => {
    const { cam } = await urls();
    expect((await get(cam.url)).response.headers.get('cache-control')).toContain('immutable');
    const { response } = await get(`/explanations/${heart.id}/cam.png`);
    expect(response.headers.get('cache-control')).toBe('private, no-cache');
    expect((await get(`/explanations/${heart.id}/cam.png?v=00000000`)).response.headers.get('cache-control')).toBe('private, no-cache');
    const again = await get(cam.url, { 'if-none-match': `"x", W/${response.headers.get('etag')}` });
    expect(again.response.status).toBe(304);
  });
});

describe('an address that means nothing', () => {
  const PLAIN = 'expected at most 256 characters, none of them a control character.';

  it.each([
    ['/images/a%00b.png', `id is "a\\u0000b": ${PLAIN}`],
    ['/explanations/a%00b/cam.png', `id is "a\\u0000b": ${PLAIN}`],
    ['/explanations/a%0Ab/saliency.npy', `id is "a\\nb": ${PLAIN}`],
    ['/explanations/a%7Fb/overlay.png', `id is "a\x7fb": ${PLAIN}`],
    ['/explanations/HEART/cam.png?v=12345678&v=12345678', `v is a list of 2: ${PLAIN}`],
  ])('%s is refused', async (path, message) => {
    const response = await fetch(`${api.url}${path.replace('HEART', heart.id)}`);
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'BAD_INPUT', message }]);
  });
});

describe('what is not there', () => {
  it.each([
    '/images/none.png',
    '/explanations/none/cam.png',
    '/explanations/none/saliency.npy',
    '/explanations/none/overlay.png',
    '/nothing',
    '/images/none.jpg',
  ])('%s is NOT_FOUND with the request id', async (path) => {
    const response = await fetch(`${api.url}${path}`, { headers: { 'x-request-id': 'mine-1' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND', requestId: 'mine-1' });
    expect(response.headers.get('x-request-id')).toBe('mine-1');
  });

  it('a picture whose bytes are lost says so', async () => {
    await api.prisma.image.update({ where: { id: image.id }, data: { objectKey: 'f'.repeat(64) } });
    const { response } = await get(`/images/${image.id}.png`);
    expect(response.status).toBe(404);
    await api.prisma.image.update({ where: { id: image.id }, data: { objectKey: image.objectKey } });
  });
});
