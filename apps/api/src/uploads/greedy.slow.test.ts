import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { requireOrSkip } from '@cxr-lens/data/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { noisePng, startTestApi, type TestApi } from '../testing.ts';

const sharp = createRequire(createRequire(import.meta.url).resolve('@cxr-lens/data'))('sharp') as (options: object) => {
  png(): { toBuffer(): Promise<Buffer> };
};

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

interface Watched {
  answers: string[];
  /** The most that this process, which is the API, held more than before; in bytes. */
  grown: number;
  /** The longest that the API did not answer; in milliseconds. */
  deaf: number;
}

/** Uploads the files at once. */
async function upload(files: readonly Uint8Array[]): Promise<Watched> {
  const before = process.memoryUsage.rss();
  let [grown, deaf, done] = [0, 0, false];
  const watching = (async () => {
    while (!done) {
      const asked = performance.now();
      await (await fetch(`${api.url}/healthz`)).text();
      deaf = Math.max(deaf, performance.now() - asked);
      grown = Math.max(grown, process.memoryUsage.rss() - before);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const sent = files.map(async (bytes) => {
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await fetch(`${api.url}/studies`, { method: 'POST', headers, body: new Uint8Array(bytes) });
    const { rejected } = (await response.json()) as { rejected: { code: string }[] };
    return `${response.status} ${rejected[0]?.code ?? 'stored'}`;
  });
  const answers = await Promise.all(sent);
  done = true;
  await watching;
  return { answers, grown, deaf };
}

/** The same image as another file. */
const others = (bytes: Uint8Array, count: number): Buffer[] =>
  Array.from({ length: count }, (_, at) => Buffer.concat([bytes, Buffer.alloc(at)]));

it('eight of the largest images that are taken: the API grows by less than 250 MB and answers meanwhile', async () => {
  const size = 8192;
  const bytes = await sharp({ create: { width: size, height: size, channels: 4, background: { r: 90, g: 100, b: 110, alpha: 0.5 } } })
    .png()
    .toBuffer();
  const { answers, grown, deaf } = await upload(others(bytes, 8));
  expect(answers).toEqual(Array(8).fill('200 stored'));
  expect(grown).toBeLessThan(250 * 1024 ** 2);
  expect(deaf).toBeLessThan(3000);
});

it('files that take gigabytes or minutes to decode are refused at once, and an honest one beside them is stored', async (ctx) => {
  const folder = requireOrSkip(ctx, 'samples', 'failing-inputs');
  const bad = ['bomb-8192-rgba16.png', 'manyscans.jpg'].flatMap((name) => others(readFileSync(`${folder}/${name}`), 4));
  const { answers, grown } = await upload([...bad, await noisePng(1)]);
  expect(answers).toEqual([...Array<string>(8).fill('413 TOO_LARGE'), '200 stored']);
  expect(grown).toBeLessThan(250 * 1024 ** 2);
});
