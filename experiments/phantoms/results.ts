import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stderr } from 'node:process';
import { parseArgs } from 'node:util';
import { resultsBlocks } from './results-blocks.ts';
import { type Results, ResultsSchema, readResults } from './results-file.ts';

// npm run results [-- --home FOLDER]: after `npm run demo` on the same machine, writes what the demo measured into docs/results/demo.json
// and from there the tables of README.md and docs/paper.md between their markers. `--check` writes nothing and compares.

const ROOT = path.resolve(import.meta.dirname, '../..');
const FILE = 'docs/results/demo.json';

const inRoot = (file: string): string => path.join(ROOT, file);
const read = (file: string): string => readFileSync(inRoot(file), 'utf8');

/** `text` with what stands between the markers of the block replaced. */
function replaced(file: string, name: string, block: string): string {
  const [start, end] = [`<!-- results: ${name} -->`, '<!-- results end -->'];
  const text = read(file);
  const from = text.indexOf(start);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${file} has no block between "${start}" and "${end}"`);
  return `${text.slice(0, from + start.length)}\n\n${block}\n\n${text.slice(to)}`;
}

function check(results: Results): void {
  for (const { file, name, text } of resultsBlocks(results)) {
    if (replaced(file, name, text) === read(file)) continue;
    stderr.write(`${file}: the block "${name}" is not what ${FILE} says: npm run results -- --tables writes it anew.\n`);
    process.exitCode = 1;
  }
}

function writeBlocks(results: Results): void {
  for (const { file, name, text } of resultsBlocks(results)) writeFileSync(inRoot(file), replaced(file, name, text));
}

async function results(): Promise<void> {
  const options = { home: { type: 'string' }, check: { type: 'boolean' }, tables: { type: 'boolean' } } as const;
  const { home, check: only, tables } = parseArgs({ options }).values;
  if (only || tables) {
    const stored = ResultsSchema.parse(JSON.parse(read(FILE)));
    return only ? check(stored) : writeBlocks(stored);
  }
  const made = await readResults(path.resolve(home ?? process.env['CXR_HOME'] ?? inRoot('.cxr-lens')));
  writeFileSync(inRoot(FILE), `${JSON.stringify(made, null, 2)}\n`);
  writeBlocks(made);
}

try {
  await results();
} catch (error) {
  stderr.write(`results: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
