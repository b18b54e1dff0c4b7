import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { random } from '../random.ts';
import { temporaryFolder } from '../tests/small-folder.ts';
import type { Entry } from './entries.ts';
import { hashSplits, readSplits } from './splits.ts';

/** A data set of a random number of patients with 1 to 30 images each, its lists written to files. */
async function randomLists(seed: number) {
  const stream = random(`lists ${seed}`);
  const entries = new Map<string, Entry>();
  const lists = { trainVal: [] as string[], test: [] as string[] };
  for (let patient = 0; patient < 10 + stream.int(200); patient += 1) {
    const list = stream.next() < 0.8 ? lists.trainVal : lists.test;
    const images = 1 + stream.int(30);
    for (let followUp = 0; followUp < images; followUp += 1) {
      const name = `${patient}_${followUp}.png`;
      entries.set(name, { name, patientId: String(patient), followUp, age: 50, sex: 'F', view: 'PA', findings: [] });
      list.push(name);
    }
  }
  const folder = await temporaryFolder();
  const files = { trainValList: path.join(folder, 'train_val_list.txt'), testList: path.join(folder, 'test_list.txt') };
  await writeFile(files.trainValList, lists.trainVal.join('\n'));
  await writeFile(files.testList, `${stream.shuffle(lists.test).join('\n') || 'none.png'}\n`);
  return { ...files, entries, lists };
}

describe('splits', () => {
  it.each(Array.from({ length: 25 }, (_, seed) => seed))('hold for random lists (%d)', async (seed) => {
    const { lists, ...read } = await randomLists(seed);
    const splits = await readSplits({ ...read, seed });
    for (const name of lists.test) expect(splits.get(name)).toBe('test');
    const splitsOf = new Map<string, Set<string>>();
    for (const [name, { patientId }] of read.entries)
      splitsOf.set(patientId, (splitsOf.get(patientId) ?? new Set()).add(splits.get(name)!));
    expect([...splitsOf.values()].every((set) => set.size === 1)).toBe(true);
    // At least a tenth, and at most one patient (30 images) more.
    const validation = lists.trainVal.filter((name) => splits.get(name) === 'validation').length;
    expect(validation).toBeGreaterThanOrEqual(lists.trainVal.length * 0.1);
    expect(validation).toBeLessThan(lists.trainVal.length * 0.1 + 30);
    expect(hashSplits(new Map([...splits].reverse()))).toBe(hashSplits(splits));
  });
});
