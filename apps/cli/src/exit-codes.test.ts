import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError, ERROR_CODES } from '@cxr-lens/data';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { runCli } from './testing.ts';

const rows = Object.values(EXIT);

describe('exit codes', () => {
  it('stand in docs/cli.md, these and no others', () => {
    const docs = readFileSync(path.resolve(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
    const section = docs.split(/^## /m).find((text) => text.startsWith('Exit codes'))!;
    const documented = [...section.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, code, means]) => ({ code: Number(code), means }));
    expect(documented).toEqual(rows);
  });

  it('stand below --help', async () => {
    const { code, stdout } = await runCli('--help');
    expect(code).toBe(EXIT.done.code);
    for (const { code: listed, means } of rows) expect(stdout).toMatch(new RegExp(`^ +${listed} +${means.slice(0, 30)}`, 'm'));
  });

  it.each(ERROR_CODES.map((code) => [code, code === 'INTERNAL' ? 1 : code === 'CANCELLED' ? 130 : 2] as const))(
    '%s is %d',
    (code, exit) => {
      expect(exitCodeOf(new CxrError(code, 'x'))).toBe(exit);
    },
  );

  it("know commander's errors, and what nobody expected", () => {
    expect(exitCodeOf(new CommanderError(0, 'commander.help', ''))).toBe(0);
    expect(exitCodeOf(new CommanderError(1, 'commander.unknownOption', ''))).toBe(2);
    expect(exitCodeOf(new Error('x'))).toBe(1);
  });
});
