import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { printedSchema } from './schema.ts';

it('is the committed schema.graphql (npm run schema writes it)', () => {
  expect(readFileSync(path.resolve(import.meta.dirname, '../../schema.graphql'), 'utf8')).toBe(printedSchema());
});
