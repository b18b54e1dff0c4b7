import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { closeInference, inferenceOf } from './inference.ts';
import { densenet } from './networks/densenet.ts';
import { fastest, keepPassSize, keptPassSize, passSizes } from './pass-size.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-pass-sizes-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const kind = { name: 'resnet50', inputSize: 224 };
const kept = (): string => path.join(folder, 'cxr-lens/pass-sizes');

it('takes a larger pass only where an image gains a twentieth by it', () => {
  expect(
    fastest(
      new Map([
        [8, 1],
        [32, 0.9],
      ]),
    ),
  ).toBe(32);
  expect(
    fastest(
      new Map([
        [32, 0.97],
        [8, 1],
      ]),
    ),
  ).toBe(8);
  expect(
    fastest(
      new Map([
        [8, 1],
        [32, 1.2],
        [128, 0.5],
      ]),
    ),
  ).toBe(128);
});

it('keeps what was measured for such networks, and takes nothing else for it', () => {
  expect(keptPassSize(kind)).toEqual({ size: 8, measured: false });
  expect(keptPassSize({ ...kind, inputSize: 96 })).toEqual({ size: 32, measured: false });
  keepPassSize(kind, 32);
  expect(keptPassSize(kind)).toEqual({ size: 32, measured: true });
  expect(keptPassSize({ ...kind, precision: 'bfloat16' }).measured).toBe(false);
  const [file] = readdirSync(kept());
  writeFileSync(path.join(kept(), file!), 'many');
  expect(keptPassSize(kind).measured).toBe(false);
});

it('measures once, after some hundred images in calls of many, and predicts the same', () => {
  const side = 32;
  const table = { name: 'tiny', blocks: [1], growth: 4, stem: 8, inputSize: side };
  const network = densenet(table, { mean: 0.5, std: 0.29, seed: 3 });
  const pixels = Uint8Array.from({ length: 100 * side * side }, (_, at) => (at * 7919) % 256);
  for (let call = 0; call < 400; call++) inferenceOf(network).logits(pixels.subarray(0, side * side));
  expect(keptPassSize(network).measured).toBe(false);
  const predicted = Array.from({ length: 4 }, () => {
    const before = keptPassSize(network).measured;
    return { before, logits: inferenceOf(network).logits(pixels) };
  });
  expect(predicted.map(({ before }) => before)).toEqual([false, false, false, false]);
  expect(passSizes()).toContain(keptPassSize(network).size);
  expect(keptPassSize(network).measured).toBe(true);
  for (const { logits } of predicted) for (const [at, value] of logits.entries()) expect(value).toBeCloseTo(predicted[0]!.logits[at]!, 5);
  closeInference(network);
  network.dispose();
});
