import { setTimeout as sleep } from 'node:timers/promises';
import { random } from '@cxr-lens/data';
import { type Client, watch } from './client.ts';
import { type Demo, openDemo } from './demo.ts';
import { type Home, killNow, type Role } from './home.ts';
import { takeStock } from './rows.ts';
import { breaks, type Conditions, type Outcome } from './trial.ts';

/** Killed together, one line a round: the first five hit each of the five processes, a pair and the demo itself. */
const VICTIMS: readonly (readonly Role[])[] = [
  ['worker', 'postgres'],
  ['api'],
  ['keeper', 'postgres'],
  ['dashboard'],
  ['demo'],
  ['worker'],
  ['postgres'],
  ['keeper'],
  ['api', 'worker'],
  ['api', 'postgres'],
  ['serve'],
  ['worker command'],
  ['api', 'dashboard'],
  ['keeper', 'api'],
  ['worker', 'dashboard'],
  ['demo', 'serve', 'worker command', 'api', 'worker', 'dashboard', 'keeper', 'postgres'],
];

const WHOLE: readonly Role[] = ['demo', 'serve', 'worker command', 'api', 'worker', 'dashboard', 'keeper', 'postgres'];
const BACK_SECONDS = 15;
const CLIENTS = 4;

/** kill -9 of processes of a running demo while clients upload and jobs run. */
export async function crash({ full, rounds, signal, say }: Conditions): Promise<Outcome> {
  const demo = await openDemo(signal);
  const { home, client } = demo;
  if (full) {
    // Uploads are explained from the first round on, by two of the four runs.
    await demo.ready();
    for (const id of ['demo-chexnet', 'demo-nih-star']) await client.ask('mutation($id: ID!) { deactivateRun(id: $id) { id } }', { id });
  }
  const begun = Date.now();
  const broken: string[] = [];
  const seconds: number[] = [];
  let [deaf, peak, byHand] = [0, 0, 0];
  for (let round = 1; round <= rounds; round++) {
    signal.throwIfAborted();
    const victims = VICTIMS[(round - 1) % VICTIMS.length]!;
    const what = victims.length === WHOLE.length ? 'everything' : victims.join(' and ');
    await keepBusy(client);
    const found = watch(home, client);
    const stop = new AbortController();
    const uploads = client.uploadUntil(stop.signal, { clients: CLIENTS, pauseMs: full ? 1500 : 300 });
    await sleep(1500 + 3000 * random(`crash/${round}`).next());
    const before = home.roles();
    for (const role of victims) killNow(before.get(role) ?? 0);
    const left = victims.includes('demo') ? await startAgain(demo) : null;
    const back = await client.until(() => isWhole(home, client, { before, victims }), 60_000, signal);
    stop.abort();
    await uploads;
    const { deafSeconds, peakMb } = await found.stop();
    peak = Math.max(peak, peakMb);
    if (left) byHand += 1;
    else {
      deaf = Math.max(deaf, deafSeconds);
      seconds.push(back ?? 60);
    }
    if (back === null || (!left && back > BACK_SECONDS)) {
      const missing = WHOLE.filter((role) => !home.roles().has(role)).join(', ');
      broken.push(
        `round ${round}, ${what}: ${back === null ? `not back after 60 s (${missing || 'no answer'})` : `back after ${back.toFixed(1)} s`}`,
      );
    }
    if (left && left.length > 0) broken.push(`round ${round}, ${what}: left behind: ${left.join(', ')}`);
    say(
      `crash ${round}/${rounds}: ${what}; ${left ? 'started again by hand' : `back after ${back?.toFixed(1) ?? 'more than 60'} s`}, ${client.acknowledged.size} acknowledged`,
    );
    if (back === null) break;
  }
  if (full) await client.until(() => isDrained(client), 900_000, signal);
  const left = await home.stop();
  const stock = await takeStock(home.folder, client.acknowledged);
  await home.ended();
  await demo.start();
  return {
    what: 'kill -9 of keeper, Postgres, API, worker, pages, pairs, the demo',
    rounds,
    acknowledged: client.acknowledged.size,
    lost: stock.lost + stock.doubled,
    deafSeconds: deaf,
    peakMb: peak,
    seconds: (Date.now() - begun) / 1000,
    notes: [
      `back by itself ${seconds.length} times after ${Math.max(0, ...seconds).toFixed(1)} s at most, ${byHand} times the demo was started again`,
      `${stock.doubled} doubled, ${stock.orphans} orphans after the sweep of ${stock.swept}`,
      `jobs: ${Object.entries(stock.jobs)
        .map(([state, count]) => `${count} ${state}`)
        .join(', ')}`,
    ],
    broken: [
      ...broken,
      ...breaks(stock.lost + stock.doubled > 0, `${stock.lost} lost, ${stock.doubled} doubled`),
      ...breaks(stock.damaged + stock.orphans > 0, `${stock.damaged} damaged, ${stock.orphans} orphans`),
      ...breaks(left.length > 0, `did not stop: ${left.map(({ command }) => command).join(', ')}`),
      ...[...new Set(stock.failures)].map((failure) => `a job failed: ${failure}`),
    ],
  };
}

/** One training at least: the demo's own, or a new one. */
async function keepBusy(client: Client): Promise<void> {
  const { jobs, dataSets } = await client.ask<{ jobs: { edges: { node: { kind: string; state: string } }[] }; dataSets: { id: string }[] }>(
    '{ jobs(first: 50) { edges { node { kind state } } } dataSets { id } }',
  );
  const isBusy = jobs.edges.some(({ node }) => node.kind !== 'EXPLAIN' && (node.state === 'RUNNING' || node.state === 'QUEUED'));
  if (isBusy || dataSets.length === 0) return;
  await client.ask('mutation($input: TrainInput!) { trainRun(input: $input) { id } }', {
    input: { method: 'BASELINE', dataSet: dataSets[0]!.id, options: { maxEpochs: 4, checkpointSeconds: 1 } },
  });
}

/** The demo does not outlive itself: what it leaves behind, before it is started again by hand. */
async function startAgain(demo: Demo): Promise<string[]> {
  const left = await demo.home.ended();
  for (const { pid } of left) killNow(pid);
  await demo.start();
  return left.map(({ command }) => command);
}

interface Killed {
  before: ReadonlyMap<Role, number>;
  victims: readonly Role[];
}

/** Every process is there, none of the killed ones; pages, queries and an upload are answered. */
async function isWhole(home: Home, client: Client, { before, victims }: Killed): Promise<boolean> {
  const roles = home.roles();
  const isBack = WHOLE.every((role) => roles.has(role)) && victims.every((role) => roles.get(role) !== before.get(role));
  if (!isBack || !(await client.answers()) || !(await client.answers('/'))) return false;
  await client.ask('{ studies(first: 1) { totalCount } }');
  return (await client.upload()) === 200;
}

async function isDrained(client: Client): Promise<boolean> {
  const { jobs } = await client.ask<{ jobs: { edges: { node: { state: string } }[] } }>(
    '{ jobs(first: 100) { edges { node { state } } } }',
  );
  return !jobs.edges.some(({ node }) => node.state === 'QUEUED' || node.state === 'RUNNING');
}
