import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, watch } from './client.ts';
import { openDemo } from './demo.ts';
import { peakMemory, residentMemory } from './home.ts';
import { breaks, type Conditions, type Outcome } from './trial.ts';

const CLIENTS = 8;
const READERS = 3;
const TIMES_IDLE = 3;
const MOST_MB = 600;
/** A heap that is collected now and then moves by this much. */
const LEVEL_MB = 60;

type Latencies = Record<string, number[]>;

const QUERIES: readonly (readonly [name: string, query: (study: string) => string])[] = [
  [
    'list',
    () => '{ studies(first: 20) { totalCount edges { node { id accessionNumber createdAt images { id fileName jobs { state } } } } } }',
  ],
  [
    'study',
    (id) =>
      `{ study(id: "${id}") { images { id explanations { id logit probability box { x y width height } evidence { statement } run { id } cam { url min max } } } } }`,
  ],
  [
    'compare',
    () =>
      '{ comparisons { statement runs { run { id } auc { auc } curve { points { iouThreshold accuracy } } } differences { value statement } } }',
  ],
];

/** Reads by all three kinds of query until `stop` aborts. */
async function read(client: Client, studies: readonly string[], stop: AbortSignal): Promise<Latencies> {
  const found: Latencies = {};
  const one = async (first: number): Promise<void> => {
    for (let turn = first; !stop.aborted; turn++) {
      const [name, query] = QUERIES[turn % QUERIES.length]!;
      const begun = performance.now();
      await client.ask(query(studies[turn % studies.length]!));
      found[name] = [...(found[name] ?? []), performance.now() - begun];
      await sleep(50);
    }
  };
  await Promise.all(Array.from({ length: READERS }, (_, reader) => one(reader)));
  return found;
}

const p95 = (values: readonly number[] = []): number => [...values].sort((a, b) => a - b)[Math.floor(0.95 * values.length)] ?? 0;

async function readFor(client: Client, studies: readonly string[], seconds: number): Promise<Latencies> {
  return read(client, studies, AbortSignal.timeout(1000 * seconds));
}

async function someStudies(client: Client): Promise<string[]> {
  const { studies } = await client.ask<{ studies: { edges: { node: { id: string } }[] } }>(
    '{ studies(last: 8) { edges { node { id } } } }',
  );
  return studies.edges.map(({ node }) => node.id);
}

/** Readers beside eight uploading clients, against the same readers alone. */
export async function load({ full, signal, say }: Conditions): Promise<Outcome> {
  const demo = await openDemo(signal);
  const { client, home } = demo;
  say('load: waiting until the demo is ready');
  await demo.ready();
  const studies = await someStudies(client);
  const begun = Date.now();
  await readFor(client, studies, 5);
  const idle = await readFor(client, studies, full ? 60 : 10);
  const uploads = full ? 500 : 50;
  const known = client.acknowledged.size;
  say(`load: ${uploads} uploads by ${CLIENTS} clients`);
  const watched = watch(home, client);
  const stop = new AbortController();
  const reading = read(client, studies, stop.signal);
  let left = uploads;
  const upload = async (): Promise<void> => {
    while (left-- > 0 && !signal.aborted) await client.upload(512);
  };
  await Promise.all(Array.from({ length: CLIENTS }, upload));
  stop.abort();
  const busy = await reading;
  const { deafSeconds, peakMb } = await watched.stop();
  const names = QUERIES.map(([name]) => name);
  const times = names.map((name) => p95(busy[name]) / p95(idle[name]));
  const acknowledged = client.acknowledged.size - known;
  return {
    what: `${uploads} uploads by ${CLIENTS} clients`,
    rounds: 1,
    acknowledged,
    lost: 0,
    deafSeconds,
    peakMb,
    seconds: (Date.now() - begun) / 1000,
    notes: names.map(
      (name, i) => `${name} p95 ${p95(busy[name]).toFixed(0)} ms (${p95(idle[name]).toFixed(0)} idle, ${times[i]!.toFixed(1)} times)`,
    ),
    broken: [
      ...breaks(acknowledged < uploads, `${uploads - acknowledged} uploads were not acknowledged`),
      // Fifty uploads are too few to judge a percentile by.
      ...breaks(full && Math.max(...times) > TIMES_IDLE, `p95 is more than ${TIMES_IDLE} times that of an idle API`),
      ...breaks(peakMb > MOST_MB, `the API took ${peakMb.toFixed(0)} MB`),
    ],
  };
}

/** Uploads, reads and deletes for ten minutes. */
export async function soak({ full, signal, say }: Conditions): Promise<Outcome> {
  const demo = await openDemo(signal);
  const { client, home } = demo;
  await demo.ready();
  const studies = await someStudies(client);
  const begun = Date.now();
  const seconds = full ? 600 : 20;
  const known = client.acknowledged.size;
  const stop = AbortSignal.any([AbortSignal.timeout(1000 * seconds), signal]);
  const watched = watch(home, client);
  const reading = read(client, studies, stop);
  const uploads = client.uploadUntil(stop, { clients: 2, pauseMs: 1500 });
  const resident: number[] = [];
  let deleted = 0;
  for (let turn = 0; !stop.aborted; turn++) {
    await sleep(5000, undefined, { signal: stop }).catch(() => undefined);
    resident.push(residentMemory(home.roles().get('api')));
    if (turn % 6 === 5) say(`soak: ${((Date.now() - begun) / 1000).toFixed(0)} of ${seconds} s, API ${resident.at(-1)!.toFixed(0)} MB`);
    const study = turn % 2 === 0 ? client.studies.pop() : undefined;
    if (study) {
      await client.ask('mutation($id: ID!) { deleteStudy(id: $id) }', { id: study }).catch(() => undefined);
      deleted += 1;
    }
  }
  signal.throwIfAborted();
  await Promise.all([reading, uploads]);
  const { deafSeconds } = await watched.stop();
  const peakMb = Math.max(...resident, peakMemory(home.roles().get('api')));
  const part = Math.ceil(resident.length / 5);
  const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const growth = median(resident.slice(-part)) - median(resident.slice(part, 2 * part));
  return {
    what: `${seconds} s of uploads, reads and deletions`,
    rounds: 1,
    acknowledged: client.acknowledged.size - known,
    lost: 0,
    deafSeconds,
    peakMb,
    seconds: (Date.now() - begun) / 1000,
    notes: [
      `${deleted} deleted; the API's memory went from ${median(resident.slice(part, 2 * part)).toFixed(0)} to ${median(resident.slice(-part)).toFixed(0)} MB`,
    ],
    broken: [
      ...breaks(full && growth > LEVEL_MB, `the API grew by ${growth.toFixed(0)} MB`),
      ...breaks(peakMb > MOST_MB, `the API took ${peakMb.toFixed(0)} MB`),
    ],
  };
}
