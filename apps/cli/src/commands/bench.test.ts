import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { engineInfo } from '@cxr-lens/model';
import { expect, it } from 'vitest';

const BIN = path.resolve(import.meta.dirname, '../../bin/cxr-lens.mjs');

function bench(...args: string[]): { code: number | null; complaint: string } {
  const { status, stderr } = spawnSync(process.execPath, [BIN, 'bench', ...args], { encoding: 'utf8' });
  return { code: status, complaint: stderr };
}

it('says in one sentence which parts there are', () => {
  const { code, complaint } = bench('--only', 'training');
  expect(code).toBe(2);
  expect(complaint).toMatch(/^bench: --only training: no such part; they are train, .*\n$/);
});

it('says in one sentence that there is no GPU', (ctx) => {
  if (engineInfo().device === 'GPU') return ctx.skip('the engine has a GPU');
  const { code, complaint } = bench('--engine', 'gpu');
  expect(code).toBe(2);
  expect(complaint).toMatch(/^bench: --engine gpu: this is TensorFlow .*, CPU\. .*npm run setup.*\n$/);
});
