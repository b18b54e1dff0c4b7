import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

const SPEC = '@cxr-lens/model/spec';
const RUN_FOLDER = '@cxr-lens/model/run-folder';
const IOUS = '@cxr-lens/model/ious';
const POOL_FOLDS = '@cxr-lens/model/pool-folds';
const BENCH = '@cxr-lens/model/bench';
const CPU = '@cxr-lens/model/cpu';
const TESTING = '@cxr-lens/data/testing';
/** Small entries, for the embedded server's keeper. */
const SMALL = ['@cxr-lens/data/durable', '@cxr-lens/data/error', '@cxr-lens/data/file-lock', '@cxr-lens/data/log-file'];

/** Who may import what of ours (docs/architecture.md): one straight line, data <- eval <- model <- apps. */
const LINE: Record<string, readonly string[]> = {
  'packages/data': [],
  'packages/eval': ['@cxr-lens/data'],
  'packages/model': ['@cxr-lens/data', '@cxr-lens/eval'],
  prisma: ['@cxr-lens/data', ...SMALL, SPEC],
  'apps/worker': ['@cxr-lens/data', '@cxr-lens/eval', '@cxr-lens/model', SPEC, '@cxr-lens/prisma'],
  'apps/cli': ['@cxr-lens/data', '@cxr-lens/eval', '@cxr-lens/model', SPEC, RUN_FOLDER, IOUS, POOL_FOLDS, CPU, '@cxr-lens/prisma'],
  'apps/api': ['@cxr-lens/data', '@cxr-lens/eval', SPEC, IOUS, '@cxr-lens/prisma'],
  'apps/dashboard': [],
  bench: ['@cxr-lens/data', '@cxr-lens/eval', '@cxr-lens/model', BENCH, CPU],
};

const SKIPPED = new Set(['node_modules', 'generated', 'gql', '.next', '.turbo', '.cxr-lens', 'public']);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : sources(full);
    return /\.(ts|tsx|mts)$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [full] : [];
  });
}

function imports(file: string): string[] {
  return ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles.map((imported) => imported.fileName);
}

/** The workspace a specifier of `file` points to, when it leaves its own. */
function foreign(file: string, room: string, specifier: string): string | null {
  if (specifier.startsWith('@cxr-lens/')) return specifier;
  if (!specifier.startsWith('.')) return null;
  const target = path.relative(root, path.resolve(path.dirname(file), specifier));
  return target.startsWith(`${room}/`) || /^vitest\.\w+\.ts$/.test(target) ? null : target;
}

/** What only tests import, by its name. */
const isTesting = (file: string): boolean => /(^|[/-])testing\.ts$/.test(file);
const isTest = (file: string): boolean => /\.test\.tsx?$/.test(file) || file.endsWith('vitest.config.ts');

describe.each(Object.entries(LINE))('%s', (room, allowed) => {
  const files = sources(path.join(root, room));

  it('imports only down the line', () => {
    const wrong = files.flatMap((file) =>
      imports(file)
        .map((specifier) => foreign(file, room, specifier))
        .filter(
          (target): target is string =>
            target !== null && !allowed.includes(target) && !(target === TESTING && (isTest(file) || isTesting(file))),
        )
        .filter((target) => !(isTest(file) && room !== 'packages/data' && target.startsWith('@cxr-lens/')))
        .map((target) => `${path.relative(root, file)} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps files under 350 lines and folders at most three deep', () => {
    const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 351);
    const deep = files.filter((file) => path.relative(path.join(root, room), path.dirname(file)).split(path.sep).length > 3);
    expect([...long, ...deep].map((file) => path.relative(root, file))).toEqual([]);
  });
});

/** Everything a module loads, followed through our own packages. */
function reachable(entry: string, seen = new Set<string>()): Set<string> {
  for (const specifier of imports(entry)) {
    const target = resolve(entry, specifier);
    if (seen.has(target)) continue;
    seen.add(target);
    if (path.isAbsolute(target)) reachable(target, seen);
  }
  return seen;
}

function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return path.resolve(path.dirname(from), specifier);
  const own = /^@cxr-lens\/(\w+)(\/[\w-]+)?$/.exec(specifier);
  if (!own) return specifier;
  const folder = ['data', 'eval', 'model'].includes(own[1]!) ? `packages/${own[1]}` : own[1] === 'prisma' ? 'prisma' : `apps/${own[1]}`;
  const { exports } = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as { exports: Record<string, string> };
  return path.join(root, folder, exports[`.${own[2] ?? ''}`]!);
}

describe('TensorFlow stays in packages/model', () => {
  it.each(['packages/model/src/spec/index.ts', 'packages/eval/src/index.ts', 'apps/api/src/main.ts'])('%s never reaches it', (entry) => {
    const loaded = [...reachable(path.join(root, entry))];
    expect(loaded.length).toBeGreaterThan(0);
    expect(loaded.filter((name) => name.startsWith('@tensorflow/'))).toEqual([]);
  });

  it('is reached from the package itself, so that the check above can fail', () => {
    const loaded = [...reachable(path.join(root, 'packages/model/src/index.ts'))];
    expect(loaded.filter((name) => name.startsWith('@tensorflow/')).length).toBeGreaterThan(0);
  });
});
