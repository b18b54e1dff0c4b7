import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type TrainRequest, trainRun } from './index.ts';
import { readRun } from './run-folder.ts';
import { temporaryFolder, tinyData } from './tests/tiny-data.ts';

/** Trains in a process of its own; kill -9 once it has said so many progress lines. Resolves to the signal that ended it. */
function trainAndKill(request: TrainRequest, afterLines: number): Promise<string | null> {
  const code = `
    import { trainRun } from ${JSON.stringify(path.join(import.meta.dirname, 'index.ts'))};
    await trainRun({ ...${JSON.stringify(request)}, onProgress: ({ what, done }) => process.stdout.write(what + ' ' + done + '\\n') });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  let lines = 0;
  child.stdout.on('data', (text: Buffer) => {
    lines += text.toString().split('\n').length - 1;
    if (lines >= afterLines) child.kill('SIGKILL');
  });
  return new Promise((resolve) => child.on('exit', (_code, signal) => resolve(signal)));
}

it.each(['baseline', 'robust'] as const)('%s ends with the same weights after several kill -9', async (method) => {
  const folder = await temporaryFolder();
  const { prepared: data } = await tinyData(folder);
  const options = { batchSize: 4, maxEpochs: 3, checkpointSeconds: 0.5 };
  const request: TrainRequest = { method, preset: 'small', data, out: path.join(folder, 'killed'), options, resume: true };
  if (method === 'robust') {
    request.from = path.join(folder, 'baseline');
    await trainRun({ ...request, method: 'baseline', from: undefined, out: request.from });
  }
  const undisturbed = await trainRun({ ...request, out: path.join(folder, 'undisturbed') });
  let kills = 0;
  for (const lines of [1, 5, 8, 12, 7]) {
    if ((await trainAndKill(request, lines)) !== 'SIGKILL') break;
    kills += 1;
    expect(readRun(request.out).state).toBe('training');
  }
  const resumed = await trainRun(request);
  expect(kills).toBeGreaterThanOrEqual(3);
  expect(resumed.weightsSha256).toBe(undisturbed.weightsSha256);
  expect(resumed.epochs.map((epoch) => ({ ...epoch, seconds: 0 }))).toEqual(undisturbed.epochs.map((epoch) => ({ ...epoch, seconds: 0 })));
});
