import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { rotateLog } from './log-file.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a log', () => {
  it('is begun anew above its limit, and so many earlier parts stay', () => {
    const file = path.join(folder, 'a.log');
    rotateLog(file);
    for (const letter of ['a', 'b', 'c', 'd']) {
      appendFileSync(file, letter.repeat(10));
      rotateLog(file, { limit: 10, kept: 2 });
      expect(statSync(file).size).toBe(10);
      appendFileSync(file, '.');
      rotateLog(file, { limit: 10, kept: 2 });
      expect(statSync(file).size).toBe(0);
    }
    expect(readdirSync(folder).sort()).toEqual(['a.log', 'a.log.1', 'a.log.2']);
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('dddddddddd.');
    expect(readFileSync(`${file}.2`, 'utf8')).toBe('cccccccccc.');
    appendFileSync(file, `${'e'.repeat(20)}${'f'.repeat(20)}`);
    rotateLog(file, { limit: 10, kept: 2 });
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('f'.repeat(20));
    expect(statSync(`${file}.1`).mode & 0o777).toBe(0o600);
  });

  it('keeps its inode, so that who appends goes on, and every line of who writes without a pause', async () => {
    const file = path.join(folder, 'b.log');
    const lines = 30_000;
    const log = openSync(file, 'a', 0o600);
    const source = `const { writeSync } = require('node:fs'); for (let i = 0; i < ${lines}; i++) { writeSync(1, i + ' ' + 'x'.repeat(100) + '\\n'); if (i % 100 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); }`;
    const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', log, 'inherit'] });
    closeSync(log);
    const { ino } = statSync(file);
    const ended = once(child, 'exit');
    let rotations = 0;
    while (child.exitCode === null) {
      const before = statSync(file).size;
      rotateLog(file, { limit: 100_000, kept: 100 });
      if (before > 100_000) rotations += 1;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await ended;
    expect(rotations).toBeGreaterThan(5);
    expect(statSync(file).ino).toBe(ino);
    const parts = readdirSync(folder).filter((name) => name.startsWith('b.log'));
    const seen = new Set(
      parts.flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n')).map((line) => line.split(' ')[0]),
    );
    // Lines in the instant of a cut may go, more of them where the cutting process is held up there; what was written before may not.
    expect(lines - (seen.size - 1)).toBeLessThan(lines / 50);
  });

  it('stays as it was where no part can be written', () => {
    const file = path.join(folder, 'c.log');
    appendFileSync(file, 'z'.repeat(100));
    mkdirSync(`${file}.new`);
    expect(() => rotateLog(file, { limit: 10 })).toThrow();
    expect(readFileSync(file, 'utf8')).toBe('z'.repeat(100));
  });
});
