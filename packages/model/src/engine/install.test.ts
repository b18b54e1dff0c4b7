import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BINDING, changedFiles, installedEngine, TFJS_PACKAGE, writeManifest } from './cache.ts';
import { installEngine } from './install.ts';

let temporary: string;
beforeAll(() => {
  temporary = mkdtempSync(path.join(tmpdir(), 'cxr-lens-engine-'));
});
afterAll(() => rmSync(temporary, { recursive: true }));

/** Sets up the engine in a process of its own, with an empty cache and only these programs. */
function installWith(programs: readonly string[], env: Record<string, string> = {}): { status: number | null; said: string } {
  const bin = mkdtempSync(path.join(temporary, 'bin-'));
  for (const name of programs) {
    const found = spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(realpathSync(found), path.join(bin, name));
  }
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', path.join(import.meta.dirname, 'install.ts')], {
    encoding: 'utf8',
    env: { ...process.env, PATH: bin, XDG_CACHE_HOME: path.join(temporary, 'cache'), ...env },
  });
  return { status, said: stderr };
}

describe('set-up of TensorFlow', () => {
  it('is done once: a second time it downloads and compiles nothing', async () => {
    const said: string[] = [];
    const folder = await installEngine(({ what }) => said.push(what));
    expect(said).toEqual([]);
    expect(realpathSync(path.join(TFJS_PACKAGE, BINDING))).toBe(path.join(realpathSync(folder), BINDING));
    expect(installedEngine({ full: true }).folder).toBe(realpathSync(folder));
  });

  it('names a missing pip, with the remedy', () => {
    const { status, said } = installWith(['g++']);
    expect(status).toBe(1);
    expect(said).toBe(
      "Python's pip is missing, which fetches the TensorFlow library: install it (Debian, Ubuntu: apt-get install python3-pip).\n",
    );
  });

  it('names a missing compiler, with the remedy', () => {
    // Answers any question about pip.
    const python = path.join(temporary, 'python');
    mkdirSync(python);
    writeFileSync(path.join(python, 'python3'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const { status, said } = installWith([], { PATH: `${python}` });
    expect(status).toBe(1);
    expect(said).toBe(
      'A C++ compiler is missing, which builds the TensorFlow binding: install one (Debian, Ubuntu: apt-get install g++).\n',
    );
  });

  it('names a wrong CXR_ENGINE', () => {
    expect(installWith([], { CXR_ENGINE: 'tpu' }).said).toBe(
      'CXR_ENGINE is "tpu"; expected cpu or cuda, or nothing, which takes what the machine has.\n',
    );
  });
});

describe('the cache folder', () => {
  it('is incomplete without a manifest, and names a file that was changed or is missing', () => {
    const folder = path.join(temporary, 'folder');
    mkdirSync(path.join(folder, 'lib'), { recursive: true });
    const [first, second] = ['lib/a.so.2', 'lib/b.node'].map((name) => path.join(folder, name));
    writeFileSync(first!, 'first');
    writeFileSync(second!, 'second');
    expect(changedFiles(folder, { full: false })).toEqual([folder]);
    writeManifest(folder, 'cpu');
    expect(changedFiles(folder, { full: true })).toEqual([]);

    const copy = path.join(temporary, 'copy');
    cpSync(folder, copy, { recursive: true });
    expect(changedFiles(copy, { full: false })).toEqual([]);

    writeFileSync(first!, 'FIRST');
    expect(changedFiles(folder, { full: false })).toEqual([first]);
    rmSync(second!);
    expect(changedFiles(folder, { full: false })).toEqual([first, second]);
  });

  it('is read whole when asked: a change that kept size and time is found', () => {
    const folder = path.join(temporary, 'quiet');
    mkdirSync(folder);
    const file = path.join(folder, 'a.node');
    writeFileSync(file, 'first');
    const time = new Date('2020-01-01');
    utimesSync(file, time, time);
    writeManifest(folder, 'cpu');
    writeFileSync(file, 'FIRST');
    utimesSync(file, time, time);
    expect(changedFiles(folder, { full: false })).toEqual([]);
    expect(changedFiles(folder, { full: true })).toEqual([file]);
  });
});
