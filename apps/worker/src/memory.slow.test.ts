import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { putObject } from '@cxr-lens/data';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { baseline, createWorld, type World } from './testing.ts';

const sharp = createRequire(createRequire(import.meta.url).resolve('@cxr-lens/data'))('sharp') as (options: object) => {
  png(): { toBuffer(): Promise<Buffer> };
};

let world: World;
let worker: ChildProcess;

beforeAll(async () => {
  world = await createWorld({ images: 80 });
  const env = { ...process.env, DATABASE_URL: world.database.url, CXR_HOME: world.home, LOG_LEVEL: 'error', NODE_OPTIONS: '' };
  worker = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(worker, 'message');
});
afterAll(async () => {
  worker?.kill('SIGKILL');
  await world?.end();
});

/** Resident bytes. */
const memory = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${worker.pid}/status`, 'utf8'))![1]) * 1024;

async function explained(files: readonly Uint8Array[], runId: string): Promise<void> {
  const jobs: string[] = [];
  for (const [at, bytes] of files.entries()) {
    const image = { objectKey: await putObject(bytes), format: 'png', width: 8192, height: 8192, fileName: `${at}.png` };
    const uid = `1.2.${bytes.length}.${at}`;
    const { images } = await world.database.prisma.study.create({
      data: { studyInstanceUid: uid, images: { create: { ...image, sopInstanceUid: uid } } },
      include: { images: true },
    });
    jobs.push((await world.jobs.enqueue('explain', { imageId: images[0]!.id, runIds: [runId], findings: ['Mass'] })).id);
  }
  for (const id of jobs) await world.until(id, 'DONE', 180_000);
}

it('eight of the largest images explained together: the worker grows by less than 250 MB', async () => {
  const training = await world.jobs.enqueue('train', baseline(world.dataSet, { maxEpochs: 1, seed: 5 }));
  await world.until(training.id, 'DONE', 300_000);
  const size = 8192;
  const bytes = await sharp({ create: { width: size, height: size, channels: 4, background: { r: 90, g: 100, b: 110, alpha: 0.5 } } })
    .png()
    .toBuffer();
  const others = (from: number, count: number): Buffer[] =>
    Array.from({ length: count }, (_, at) => Buffer.concat([bytes, Buffer.alloc(from + at)]));
  // What the engine compiles for passes of one and of eight is there once and for all.
  const small = await sharp({ create: { width: 96, height: 96, channels: 3, background: '#888' } })
    .png()
    .toBuffer();
  await explained(
    Array.from({ length: 9 }, (_, at) => Buffer.concat([small, Buffer.alloc(at)])),
    training.runId!,
  );
  const before = memory();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, memory())), 50);
  await explained(others(1, 8), training.runId!);
  clearInterval(watch);
  process.stderr.write(`worker: ${Math.round(before / 1e6)} MB before, ${Math.round(most / 1e6)} MB at most\n`);
  expect(most - before).toBeLessThan(250 * 1024 ** 2);
});
