import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CxrError } from '../error.ts';
import { random } from '../random.ts';
import type { Entry } from './entries.ts';
import type { Split } from './nih.ts';

const VALIDATION_SHARE = 0.1;

/** A list file's names: one a line, blank lines ignored; the line of each. */
async function readList(file: string): Promise<Map<string, number>> {
  const lines = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '').split(/\r?\n/);
  const names = new Map<string, number>();
  for (const [index, text] of lines.entries()) {
    const name = text.trim();
    if (name && !names.has(name)) names.set(name, index + 1);
  }
  if (names.size > 0) return names;
  throw new CxrError('BAD_INPUT', `${file} names no image: expected one name a line. Take the list from NIH again.`);
}

/**
 * The split of every listed image: NIH's test list, and train_val split 90/10 by patient, seeded [ours].
 * All listed patients are shuffled, whether their images are here or not, so that a patient keeps its place when more archives arrive.
 * BAD_INPUT when an image or a patient is in both lists.
 */
export async function readSplits(options: {
  trainValList: string;
  testList: string;
  entries: ReadonlyMap<string, Entry>;
  seed: number;
}): Promise<Map<string, Split>> {
  const [trainVal, test] = await Promise.all([readList(options.trainValList), readList(options.testList)]);
  const imagesOf = groupByPatient(trainVal, options.entries);
  refuseOverlap({
    trainVal: { file: options.trainValList, names: trainVal },
    test: { file: options.testList, names: test },
    entries: options.entries,
    imagesOf,
  });

  const splits = new Map<string, Split>();
  for (const name of test.keys()) splits.set(name, 'test');
  const total = [...imagesOf.values()].reduce((sum, names) => sum + names.length, 0);
  let validation = 0;
  for (const patient of random(`split ${options.seed}`).shuffle([...imagesOf.keys()].sort())) {
    const names = imagesOf.get(patient)!;
    const split = validation < total * VALIDATION_SHARE ? 'validation' : 'train';
    if (split === 'validation') validation += names.length;
    for (const name of names) splits.set(name, split);
  }
  return splits;
}

/** SHA-256 over the sorted lines `name TAB split`. */
export function hashSplits(splits: ReadonlyMap<string, Split>): string {
  const lines = [...splits].map(([name, split]) => `${name}\t${split}\n`).sort();
  return createHash('sha256').update(lines.join('')).digest('hex');
}

function groupByPatient(names: ReadonlyMap<string, number>, entries: ReadonlyMap<string, Entry>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names.keys()) {
    const patient = entries.get(name)?.patientId;
    if (patient === undefined) continue;
    const group = groups.get(patient);
    if (group) group.push(name);
    else groups.set(patient, [name]);
  }
  return groups;
}

function refuseOverlap(options: {
  trainVal: { file: string; names: ReadonlyMap<string, number> };
  test: { file: string; names: ReadonlyMap<string, number> };
  entries: ReadonlyMap<string, Entry>;
  imagesOf: ReadonlyMap<string, string[]>;
}): void {
  const { trainVal, test, entries, imagesOf } = options;
  const remedy = 'No patient may be in both, or the test measures memory: take both lists from NIH, or move all of the patient to one.';
  for (const [name, line] of test.names) {
    if (trainVal.names.has(name)) {
      throw new CxrError(
        'BAD_INPUT',
        `${test.file} line ${line}: ${name} is also on line ${trainVal.names.get(name)} of ${trainVal.file}. ${remedy}`,
      );
    }
    const patient = entries.get(name)?.patientId;
    const other = patient === undefined ? undefined : imagesOf.get(patient)?.[0];
    if (other !== undefined) {
      const where = `line ${trainVal.names.get(other)} of ${trainVal.file} (${other})`;
      throw new CxrError('BAD_INPUT', `${test.file} line ${line}: patient ${patient} of ${name} is also on ${where}. ${remedy}`);
    }
  }
}
