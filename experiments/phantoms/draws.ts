import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { BOXED_FINDINGS } from '@cxr-lens/data';
import { compareRuns, type IouTable } from '@cxr-lens/eval';
import { readIous } from '@cxr-lens/model/ious';

// npx tsx experiments/phantoms/draws.ts RUN OVER [SEED ...]
// Whether the verdicts on two evaluated runs hang on the draws of the folds: the words by the twenty draws from each first seed (default
// 0, 20, 40). RUN and OVER are run folders with one evaluation, or evaluation folders. Ends with 1 where the words differ.

function iousOf(folder: string): IouTable {
  const parent = path.join(folder, 'evaluation');
  const [own, ...others] = existsSync(parent) ? readdirSync(parent).map((name) => path.join(parent, name)) : [folder];
  if (!own || others.length > 0) throw new Error(`${folder} has ${own ? 'several evaluations: name the folder of one' : 'no evaluation'}.`);
  const kept = readIous(own);
  if (!kept) throw new Error(`${own} has no ious.json; evaluate the run again.`);
  return kept.run;
}

const [folderA, folderB, ...seeds] = argv.slice(2);
if (!folderA || !folderB) {
  stderr.write('Name two run folders: npx tsx experiments/phantoms/draws.ts RUN OVER [SEED ...]\n');
  exit(2);
}
const [a, b] = [folderA, folderB].map((folder) => ({ label: path.basename(folder), method: null, ious: iousOf(folder) }));
const firsts = seeds.length > 0 ? seeds.map(Number) : [0, 20, 40];
const wrong = firsts.findIndex((first) => !Number.isInteger(first));
if (wrong >= 0) throw new Error(`${seeds[wrong]} is no seed: expected a whole number.`);
const lists = firsts.map((firstDraw) => compareRuns({ a: a!, b: b!, firstDraw }).localization);
stdout.write(`| ${a!.label} over ${b!.label} | ${firsts.map((first) => `draws ${first} to ${first + 19}`).join(' | ')} |\n`);
stdout.write(`|${'---|'.repeat(firsts.length + 1)}\n`);
for (const [index, finding] of BOXED_FINDINGS.entries()) {
  const cells = lists.map((rows) => {
    const { mean } = rows[index]!;
    const { difference, adjustedP, standardError, direction } = mean;
    return adjustedP === null
      ? direction
      : `${direction} (${difference!.toFixed(3)}, p ${adjustedP.toFixed(4)} ± ${standardError!.toFixed(4)})`;
  });
  stdout.write(`| ${finding} | ${cells.join(' | ')} |\n`);
}
const words = lists.map((rows) => rows.map(({ mean }) => mean.direction).join());
const same = new Set(words).size === 1;
stdout.write(same ? '\nThe words are the same.\n' : '\nThe words differ.\n');
exit(same ? 0 : 1);
