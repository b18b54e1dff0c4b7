import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fuzz, fuzzTarget, TARGET_NAMES } from '../reliability/fuzz/fuzz.ts';
import type { Target } from '../reliability/fuzz/targets.ts';

const failures = mkdtempSync(path.join(tmpdir(), 'cxr-fuzz-test-'));
afterAll(() => rmSync(failures, { recursive: true, force: true }));

const options = { count: 30, seed: 0, failures, signal: new AbortController().signal, say: () => undefined };

describe('npm run fuzz', () => {
  it('finds no input that is neither accepted nor refused', { timeout: 120_000 }, async () => {
    const counts = await fuzz({ ...options, targets: TARGET_NAMES });
    expect(counts.flatMap(({ target, faults }) => faults.map((fault) => `${target}: ${fault}`))).toEqual([]);
    expect(counts.map(({ accepted, refused }) => accepted + refused)).toEqual(TARGET_NAMES.map(() => options.count));
    // Mutations that nothing reads, or that nothing can read, would find nothing.
    expect(counts.filter(({ accepted, refused }) => accepted === 0 || refused === 0)).toEqual([]);
  });

  it('keeps the input of a fault, which the same seed makes again', async () => {
    const given: string[] = [];
    const valid = { as: 'a', bytes: Buffer.from('valid') };
    const target: Target = {
      make: ({ int }) => ({ as: 'a', valid, bytes: Buffer.from(`${int(1e9)}`) }),
      read: async ({ bytes }) => {
        given.push(bytes.toString());
        return given.length % 4 === 3 ? { fault: 'broke' } : 'accepted';
      },
    };
    const run = () => fuzzTarget('target', target, { ...options, count: 4, memory: () => 0 });
    expect(await run()).toMatchObject({
      accepted: 3,
      refused: 0,
      faults: [expect.stringMatching(/^input 2: broke; kept as .*target-0-2$/)],
    });
    expect(readFileSync(path.join(failures, 'target-0-2'), 'utf8')).toBe(given[2]);
    await run();
    expect(given.slice(4)).toEqual(given.slice(0, 4));
  });

  it('tells of memory that grows', async () => {
    let megabytes = 100;
    const target: Target = {
      make: () => ({ as: 'a', valid: { as: 'a', bytes: Buffer.alloc(0) }, bytes: Buffer.alloc(0) }),
      read: async () => 'refused',
    };
    const grows = { ...options, memory: () => (megabytes += 250) };
    expect((await fuzzTarget('target', target, grows)).faults).toEqual(['the API grew from 350 to 600 MB']);
  });
});
