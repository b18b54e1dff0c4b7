import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { METHODS, type MethodName, parentMethod, parseSettings, parseTrainOptions } from '@cxr-lens/model/spec';
import { describe, expect, it } from 'vitest';
import { EXPERIMENTS } from '../experiments/index.ts';

const folder = path.resolve(import.meta.dirname, '../experiments');
const PLACES = { data: 'nih-224.cxr', runs: 'runs', imagenet: 'imagenet' };
const HELPERS = ['cli.ts', 'experiment.ts', 'index.ts', 'run.ts'];

const valuesOf = (args: readonly string[], flag: string): string[] => args.flatMap((arg, i) => (arg === flag ? [args[i + 1]!] : []));

it('lists every file of experiments once', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !HELPERS.includes(name));
  expect(EXPERIMENTS.map(({ name }) => `${name}.ts`).sort()).toEqual(files.sort());
});

it('comes after what it needs', () => {
  for (const [index, { after }] of EXPERIMENTS.entries()) {
    const before = EXPERIMENTS.slice(0, index).map(({ name }) => name);
    expect(before).toEqual(expect.arrayContaining([...after]));
  }
});

it('costs what the document says', () => {
  const document = readFileSync(path.resolve(folder, '../docs/reproduction.md'), 'utf8');
  for (const { name, row, hours } of EXPERIMENTS) expect(document).toContain(`| ${name} | ${row} | ${hours} |`);
});

describe.each(EXPERIMENTS)('$name', ({ name, commands }) => {
  const trainings = commands(PLACES).filter(([command]) => command === 'train');

  it('states its first command in its header', () => {
    const header = readFileSync(path.join(folder, `${name}.ts`), 'utf8').match(/^\/\/ npx --no cxr-lens (.*)$/m)![1]!;
    const stated = header.replace(
      'runs/supervised-0 ... runs/supervised-4',
      [0, 1, 2, 3, 4].map((fold) => `runs/supervised-${fold}`).join(' '),
    );
    expect(stated).toBe(commands(PLACES)[0]!.join(' '));
  });

  if (trainings.length === 0) return;

  it('is a training that the methods allow', () => {
    for (const args of trainings) {
      const method = args[1] as MethodName;
      expect(Object.keys(METHODS)).toContain(method);
      const options = parseTrainOptions(method, parseSettings(valuesOf(args, '--set')));
      const [from] = valuesOf(args, '--from');
      const parent = parentMethod(method, options);
      if (parent !== null) expect(from).toBe(`runs/${parent}`);
      else expect(from === undefined || from.startsWith('runs/imagenet-')).toBe(true);
    }
  });
});
