import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestDatabase, testDatabase } from '@cxr-lens/prisma';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const BIN = path.resolve(import.meta.dirname, '../../bin/cxr-lens.mjs');

let database: TestDatabase;
let command: ChildProcess;

beforeAll(async () => {
  database = await testDatabase();
});

afterEach(() => void command.kill('SIGKILL'));
afterAll(() => database?.drop());

function start(): ChildProcess {
  const env = { ...process.env, DATABASE_URL: database.url, LOG_LEVEL: 'fatal', NODE_OPTIONS: '' };
  command = spawn(process.execPath, [BIN, 'worker'], { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  return command;
}

/** The worker's own process below the command; null when it is gone. */
function workerPid(): number | null {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
      const isWorker = readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('worker/src/main.ts');
      if (isWorker && state !== 'Z' && Number(parent) === command.pid) return Number(pid);
    } catch {
      // It ended while we looked.
    }
  }
  return null;
}

const isAlive = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

describe('cxr-lens worker', () => {
  it('starts its worker again when that is killed, and ends with it when asked to', async () => {
    start();
    await once(command, 'message');
    const first = workerPid()!;
    process.kill(first, 'SIGKILL');
    await once(command, 'message');
    const second = workerPid()!;
    expect(second).not.toBe(first);
    command.kill('SIGTERM');
    expect(await once(command, 'exit')).toEqual([0, null]);
    expect(isAlive(second)).toBe(false);
  });

  it('leaves nothing behind when it is killed itself', async () => {
    start();
    await once(command, 'message');
    const pid = workerPid()!;
    command.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false);
  });
});
