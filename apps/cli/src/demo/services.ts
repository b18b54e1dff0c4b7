import { CxrError } from '@cxr-lens/data';
import { createPrisma, ensureDatabase, registerDataSet, registerRun } from '@cxr-lens/prisma';
import { type Child, logFile, startCommand, startModule, stopChild } from './child.ts';
import { DASHBOARD_SERVER } from './dashboard.ts';
import { answers, freePort } from './port.ts';
import type { DemoPaths } from './science.ts';
import { uploadExamples } from './studies.ts';

const READY_MS = 60_000;

export interface ServeDemoOptions {
  env: NodeJS.ProcessEnv;
  port: number;
  paths: DemoPaths;
  signal: AbortSignal;
  say: (line: string) => void;
}

/**
 * Starts database, API, worker and dashboard, shows the runs in them, and stays until `signal` aborts; stops what it started, last first.
 * The embedded database stops by itself some seconds after its last user.
 */
export async function serveDemo(options: ServeDemoOptions): Promise<void> {
  const children: Child[] = [];
  try {
    await serve(options, children);
  } finally {
    for (const child of children.reverse()) await stopChild(child);
  }
}

async function serve({ env, port, paths, signal, say }: ServeDemoOptions, children: Child[]): Promise<void> {
  const start = (child: Child): Child => {
    children.push(child);
    return child;
  };
  const dashboardPort = await freePort();
  start(startModule('dashboard', [DASHBOARD_SERVER], { ...env, PORT: String(dashboardPort) }));
  const url = await ensureDatabase();
  const services = { ...env, DATABASE_URL: url, PORT: String(port), DASHBOARD_URL: `http://127.0.0.1:${dashboardPort}` };
  start(startCommand(['serve'], services));
  start(startCommand(['worker'], services));
  const { studies } = await register(url, paths);

  const address = `http://127.0.0.1:${port}`;
  const failure = Promise.race(children.map(async (child) => ({ name: child.name, code: await child.exited })));
  const ready = Promise.all([answers(`${address}/healthz`, signal, READY_MS), answers(address, signal, READY_MS)]);
  const first = await Promise.race([ready, failure]);
  if (signal.aborted) return;
  if (!Array.isArray(first)) throw ended(first);
  if (first.includes(false))
    throw new CxrError('UNAVAILABLE', `${address} does not answer after ${READY_MS / 1000} s: see the messages above.`);
  if (studies === 0) await uploadExamples(address, paths);

  say(`\nCXR Lens is ready: ${address}\nCtrl-C stops everything it started.`);
  const stopped = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
  const end = signal.aborted ? null : await Promise.race([failure, stopped]);
  if (end !== null) throw ended(end);
  say('Stopping ...');
}

const ended = ({ name, code }: { name: string; code: number }): CxrError =>
  new CxrError(
    'UNAVAILABLE',
    `The ${name} process ended with exit code ${code}: see its message above and ${logFile(name)}, then run npm run demo again.`,
  );

/** Shows the data set and the runs in the database; says how many studies it holds. */
async function register(url: string, paths: DemoPaths): Promise<{ studies: number }> {
  const prisma = createPrisma(url);
  try {
    await registerDataSet(prisma, paths.prepared);
    for (const folder of Object.values(paths.runs)) await registerRun(prisma, folder);
    return { studies: await prisma.study.count() };
  } finally {
    await prisma.$disconnect();
  }
}
