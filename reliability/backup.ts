import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { sha256, watch } from './client.ts';
import { openDemo } from './demo.ts';
import { Home } from './home.ts';
import { breaks, type Conditions, type Outcome } from './trial.ts';

/**
 * Tables that a restore goes on with: open jobs are queued anew, which is an event, and runs are registered from their folders, which may be
 * newer than the rows. Every row is there again, by the columns that stay.
 */
const REBUILT: Record<string, (column: string) => boolean> = {
  Job: (column) => ['id', 'kind', 'input'].includes(column),
  JobEvent: (column) => column === 'id',
  // A run that has just begun takes its time from its folder when it is first registered.
  Run: (column) => ['id', 'name', 'method', 'seed'].includes(column),
  Epoch: () => true,
  Evaluation: () => true,
  AucResult: () => true,
  LocalizationCurve: (column) => column !== 'id',
  LocalizationPoint: (column) => column !== 'curveId',
};

/** Backs a demo up while clients upload, restores it into another home, backs that up, and compares both. */
export async function backup({ signal, say }: Conditions): Promise<Outcome> {
  const begun = Date.now();
  const { home, client } = await openDemo(signal);
  const other = new Home();
  const [first, second] = [`${home.folder}-backup`, `${home.folder}-restored`];
  try {
    const stop = new AbortController();
    const watched = watch(home, client);
    const uploads = client.uploadUntil(stop.signal, { clients: 4, pauseMs: 100 });
    await client.until(async () => client.acknowledged.size >= 20, 60_000, signal);
    const before = new Map(client.acknowledged);
    say('backup: copying while clients upload');
    const taken = await home.run(['backup', first, '--json']);
    stop.abort();
    await uploads;
    const watchedFor = await watched.stop();
    const restored = await other.run(['restore', first, '--json']);
    const again = await other.run(['backup', second, '--json']);
    const failed = [taken, restored, again].filter(({ code }) => code !== 0).map(({ text }) => text.slice(-300));
    const differences = failed.length > 0 ? failed : differing(first, second);
    const lost = [...before.values()].filter((key) => !existsSync(objectIn(second, key))).length;
    say(`backup: ${differences.length} differences`);
    const { rows, objects, runs } = countsOf(first);
    return {
      what: 'backup and restore under load',
      rounds: 1,
      acknowledged: before.size,
      lost,
      ...watchedFor,
      seconds: (Date.now() - begun) / 1000,
      notes: [`${rows} rows, ${objects} objects, ${runs} run folders, ${differences.length} differences`],
      broken: [...differences, ...breaks(lost > 0, `${lost} acknowledged before the backup are not in it`)],
    };
  } finally {
    await other.remove();
    for (const folder of [first, second]) rmSync(folder, { recursive: true, force: true });
  }
}

interface Manifest {
  tables: { name: string; columns: string[]; rows: number }[];
  files: { objects: number; runs: unknown[] };
}

const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(path.join(folder, 'backup.json'), 'utf8')) as Manifest;
const objectIn = (folder: string, key: string): string => path.join(folder, 'objects', key.slice(0, 2), key);

function countsOf(folder: string): { rows: number; objects: number; runs: number } {
  if (!existsSync(path.join(folder, 'backup.json'))) return { rows: 0, objects: 0, runs: 0 };
  const { tables, files } = manifestOf(folder);
  return { rows: tables.reduce((sum, { rows }) => sum + rows, 0), objects: files.objects, runs: files.runs.length };
}

/** Row by row and byte by byte. */
function differing(first: string, second: string): string[] {
  const [before, after] = [manifestOf(first), manifestOf(second)];
  const tables = before.tables.flatMap(({ name, columns }) => {
    const stays = REBUILT[name];
    const kept = stays ? columns.filter(stays) : columns;
    const [rows, again] = [first, second].map((folder) => rowsOf(folder, name, columns, kept)) as [string[], string[]];
    const there = new Set(again);
    const isSame = stays ? rows.every((row) => there.has(row)) : rows.join('\n') === again.join('\n');
    return isSame ? [] : [`the rows of ${name} differ`];
  });
  const bytes = objectsOf(first).join() === objectsOf(second).join() ? [] : ['the objects differ'];
  const runs = JSON.stringify(before.files.runs) === JSON.stringify(after.files.runs) ? [] : ['the files of run folders differ'];
  return [...tables, ...bytes, ...runs];
}

function rowsOf(folder: string, table: string, columns: readonly string[], kept: readonly string[]): string[] {
  const places = columns.flatMap((column, place) => (kept.includes(column) ? [place] : []));
  const lines = readFileSync(path.join(folder, 'database', `${table}.copy`), 'utf8').split('\n');
  return lines.map((line) => places.map((place) => line.split('\t')[place]).join('\t')).sort();
}

/** The SHA-256 of each object as it lies there. */
function objectsOf(folder: string): string[] {
  return readdirSync(path.join(folder, 'objects'))
    .flatMap((prefix) => readdirSync(path.join(folder, 'objects', prefix)).map((name) => path.join(folder, 'objects', prefix, name)))
    .map((file) => `${path.basename(file)} ${sha256(readFileSync(file))}`)
    .sort();
}
