import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { interruptSignal } from '../output.ts';
import { runToEnd, startModule } from './child.ts';
import type { DemoOptions } from './services.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../dashboard');

/** Serves the built dashboard on 127.0.0.1:PORT. */
export const DASHBOARD_SERVER = path.join(FOLDER, 'server.mjs');

// Ours, written when the build has ended well: Next's own BUILD_ID is there before the pages are.
const BUILD = path.join(FOLDER, '.next/cxr-lens-built');

function newest(folder: string): number {
  const times = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    if (entry.name === '.next' || entry.name === 'node_modules' || entry.name === 'next-env.d.ts') return 0;
    const full = path.join(folder, entry.name);
    return entry.isDirectory() ? newest(full) : statSync(full).mtimeMs;
  });
  return Math.max(0, ...times);
}

/** Builds the dashboard's pages, unless they were built after their sources last changed. CxrError CANCELLED. */
export async function buildDashboard({ env, signal, say }: Pick<DemoOptions, 'env' | 'signal' | 'say'>): Promise<void> {
  if ((statSync(BUILD, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest(FOLDER)) return;
  const started = Date.now();
  say("Building the dashboard's pages ...");
  const next = createRequire(DASHBOARD_SERVER).resolve('next/dist/bin/next');
  // The pages belong to the installed copy, which other accounts may run: not private as all below CXR_HOME.
  const own = process.umask(0o022);
  try {
    await runToEnd(() => startModule('next build', [next, 'build', FOLDER], { ...env, NODE_ENV: 'production' }), signal);
    writeFileSync(BUILD, '');
  } finally {
    process.umask(own);
  }
  say(`Building the dashboard's pages: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

if (process.argv[1] === import.meta.filename) {
  try {
    await buildDashboard({ env: process.env, signal: interruptSignal(), say: (line) => process.stderr.write(`${line}\n`) });
  } catch (error) {
    if (!(error instanceof CxrError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
