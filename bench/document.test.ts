import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PART_NAMES } from './cases.ts';
import { withPart } from './document.ts';

const DOCUMENT = readFileSync(path.join(import.meta.dirname, '../docs/performance.md'), 'utf8');

it.each(PART_NAMES)('docs/performance.md has a place for %s, which is filled again and again', (part) => {
  const once = withPart(DOCUMENT, part, 'figures of today');
  expect(once).toContain('figures of today');
  expect(withPart(once, part, 'others')).toBe(withPart(DOCUMENT, part, 'others'));
  for (const other of PART_NAMES.filter((name) => name !== part)) {
    expect(withPart(withPart(DOCUMENT, other, 'theirs'), part, 'ours')).toContain('theirs');
  }
});

it('names what the document lacks', () => {
  expect(() => withPart('# Performance', 'train', '')).toThrow('it lacks <!-- bench: train -->');
});
