import { roomIn } from '@cxr-lens/data';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { noisePng, startTestApi, type TestApi } from '../testing.ts';

vi.mock('@cxr-lens/data', { spy: true });

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

async function send(type: string, body: Uint8Array<ArrayBuffer>): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(`${api.url}/studies`, { method: 'POST', headers: { 'content-type': type }, body });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

const NO_ROOM = { code: 'UNAVAILABLE', message: expect.stringMatching(/nearly full/) };

it('refuses uploads of every kind with 507 while the disk is nearly full, and goes on by itself', async () => {
  const png = new Uint8Array(await noisePng(1));
  const stow = Buffer.concat([Buffer.from('--x\r\nContent-Type: application/dicom\r\n\r\n'), png, Buffer.from('\r\n--x--\r\n')]);
  const related = 'multipart/related; type="application/dicom"; boundary=x';
  vi.mocked(roomIn).mockResolvedValue(1000);
  for (const [type, body] of [
    ['image/png', png],
    [related, new Uint8Array(stow)],
  ] as const) {
    expect(await send(type, body)).toEqual({ status: 507, answer: { ...NO_ROOM, requestId: expect.any(String) } });
  }
  expect(await api.prisma.study.count()).toBe(0);
  vi.mocked(roomIn).mockResolvedValue(2 ** 30);
  expect((await send('image/png', png)).status).toBe(200);
});

it('refuses the rest of a request during which the disk filled, and tells what is stored', async () => {
  const form = new FormData();
  for (const seed of [2, 3]) form.append('file', new Blob([new Uint8Array(await noisePng(seed))]), `${seed}.png`);
  vi.mocked(roomIn)
    .mockResolvedValueOnce(2 ** 30)
    .mockResolvedValueOnce(2 ** 30)
    .mockResolvedValueOnce(0);
  const response = await fetch(`${api.url}/studies`, { method: 'POST', body: form });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    studies: [{ images: [{ fileName: '2.png' }] }],
    rejected: [{ fileName: '3.png', ...NO_ROOM }],
  });
});
