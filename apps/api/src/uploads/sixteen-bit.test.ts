import { sixteenBitPng } from '@cxr-lens/data/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeExplanations, makeRun, startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

it('an image of 16 bits that 0.1.0 explained, near black, is explained again when it is sent again, once', async () => {
  const run = await makeRun(api.prisma, 'baseline');
  const png = await sixteenBitPng(
    Uint16Array.from({ length: 4096 }, (_, sample) => sample),
    { width: 64, height: 64 },
  );
  interface Sent {
    studies: { jobId: string; images: { id: string }[] }[];
  }
  const send = async () => {
    const headers = { 'content-type': 'image/png' };
    const response = await fetch(`${api.url}/studies`, { method: 'POST', headers, body: new Uint8Array(png) });
    return ((await response.json()) as Sent).studies[0]!;
  };
  const first = await send();
  await api.prisma.job.updateMany({ data: { state: 'DONE' } });
  const image = await api.prisma.image.findUniqueOrThrow({ where: { id: first.images[0]!.id } });
  await makeExplanations(api.prisma, image, run);
  expect(await api.prisma.explanation.count({ where: { bits: null } })).toBeGreaterThan(0);
  const again = await send();
  expect(again.jobId).not.toBe(first.jobId);
  await api.prisma.job.updateMany({ data: { state: 'DONE' } });
  await api.prisma.explanation.updateMany({ data: { bits: 12, bitsSource: 'guess' } });
  expect((await send()).jobId).toBe(again.jobId);
});
