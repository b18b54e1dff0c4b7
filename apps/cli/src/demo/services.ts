import { existsSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { ensureDatabase, registerDataSet, registerRun } from '@cxr-lens/prisma';
import { supervise } from '../supervise.ts';
import { type Child, startCommand, startModule } from './child.ts';
import { type Client, OPEN, openClient } from './client.ts';
import { conduct } from './conduct.ts';
import { buildDashboard, DASHBOARD_SERVER } from './dashboard.ts';
import { answers, freePort } from './port.ts';
import { type DemoPaths, type DemoSizeName, scienceSteps } from './science.ts';

const READY_MS = 60_000;
// Longer than the demo's worker needs for its last checkpoint, shorter than a person waits.
const STOP_MS = 20_000;

export interface DemoOptions {
  env: NodeJS.ProcessEnv;
  port: number;
  paths: DemoPaths;
  size: DemoSizeName;
  signal: AbortSignal;
  say: (line: string) => void;
}

/** The processes that the demo has started. Each is stopped by its own signal, the last one first. */
interface Held {
  services: { stop: AbortController; ended: Promise<unknown> }[];
  client: { close(): Promise<void> } | null;
}

/**
 * Starts database, worker, API and dashboard, lets the worker do the science while the pages are open, and stays until `signal` aborts;
 * stops what it started, last first. The embedded database stops by itself some seconds after its last user.
 * CxrError CANCELLED when it is stopped before all is there.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const held: Held = { services: [], client: null };
  try {
    await run(options, held);
  } finally {
    await held.client?.close();
    for (const { stop, ended } of held.services.reverse()) {
      stop.abort();
      await ended;
    }
  }
}

async function run({ env, port, paths, size, signal, say }: DemoOptions, held: Held): Promise<void> {
  const begun = Date.now();
  const seconds = (): string => `${((Date.now() - begun) / 1000).toFixed(0)} s`;
  const stopped = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new CxrError('CANCELLED', 'Stopped. The same command goes on from here.'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  stopped.catch(() => undefined);
  const start = (name: string, startChild: () => Child): Promise<never> => {
    const stop = new AbortController();
    const end = supervise({ name, start: () => startChild().process, signal: stop.signal, stopMs: STOP_MS, say });
    held.services.push({ stop, ended: end });
    // One that ends for good refuses its settings.
    const failure = end.then((code) => (stop.signal.aborted ? new Promise<never>(() => undefined) : Promise.reject(refused(name, code))));
    failure.catch(() => undefined);
    return failure;
  };

  say('Starting the database and a worker ...');
  const url = await ensureDatabase();
  const services = { ...env, DATABASE_URL: url, PORT: String(port) };
  const ends = [stopped, start('worker', () => startCommand(['worker'], services))];
  const client = await openClient(url);
  held.client = client;
  await registerWhatIsThere(client, paths);

  const opened = Promise.withResolvers<string>();
  const science = conduct(scienceSteps(client, { paths, size, address: opened.promise }), { client, signal, say });
  // What it throws is waited for below; until then it must not end the process.
  science.catch(() => undefined);

  await buildDashboard({ env, signal, say });
  const dashboardPort = await freePort();
  ends.push(start('dashboard', () => startModule('dashboard', [DASHBOARD_SERVER], { ...env, PORT: String(dashboardPort) })));
  ends.push(start('API', () => startCommand(['serve'], { ...services, DASHBOARD_URL: `http://127.0.0.1:${dashboardPort}` })));
  const address = `http://127.0.0.1:${port}`;
  const ready = Promise.all([answers(`${address}/healthz`, signal, READY_MS), answers(address, signal, READY_MS)]);
  if ((await Promise.race([ready, ...ends])).includes(false))
    throw new CxrError('UNAVAILABLE', `${address} does not answer after ${READY_MS / 1000} s: see the messages above.`);
  opened.resolve(address);

  say(
    `\nCXR Lens is open after ${seconds()}: ${address}\nWhat is not there yet is made now and can be watched there. Ctrl-C stops everything.\n`,
  );
  await Promise.race([science, ...ends]);
  say(`\nCXR Lens is ready after ${seconds()}: ${address}\nCtrl-C stops everything it started.`);
  await Promise.race(ends).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    say('Stopping ...');
  });
}

const refused = (name: string, code: number): CxrError =>
  new CxrError('UNAVAILABLE', `The ${name} cannot run (exit code ${code}): see its message above, then run npm run demo again.`);

/** Shows what earlier demos have left: also what was made in a database that is gone, or by a version that had none meanwhile. */
async function registerWhatIsThere({ prisma }: Client, { prepared, runs }: DemoPaths): Promise<void> {
  if (existsSync(prepared)) await registerDataSet(prisma, prepared);
  for (const folder of Object.values(runs)) {
    // A run whose job goes on is that job's to tell: its file still says "cancelled" when the demo was stopped.
    const open = { runId: path.basename(folder), kind: 'TRAIN', state: OPEN } as const;
    if (existsSync(path.join(folder, 'run.json')) && (await prisma.job.count({ where: open })) === 0) await registerRun(prisma, folder);
  }
}
