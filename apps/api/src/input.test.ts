import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

it('is parsed wherever a route reads parameters, query or headers of its request', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.test)\.ts$/.test(file));
  const reads = files.flatMap((file) =>
    readFileSync(path.join(import.meta.dirname, file), 'utf8')
      .split('\n')
      .filter((line) => /\brequest\.(params|query|headers|body)\b/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(reads.length).toBeGreaterThan(5);
  expect(reads.filter((line) => !/parse\(\w+Schema, request\.\w+\)/.test(line))).toEqual([]);
});
