import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { CxrError, cxrHome, type OnProgress } from '@cxr-lens/data';
import type { PrismaClient } from '@cxr-lens/prisma';
import { count, type Finding } from './finding.ts';

/** No write takes so long: what is older was left by a process that was killed. */
const ABANDONED_MS = 3_600_000;

interface Registered {
  path: string;
  cardSha256: string | null;
}

/** Compares the run folders that are registered or lie below CXR_HOME with their hashes. Repairing deletes what killed writes left. */
export async function checkRuns({
  prisma,
  repair,
  onProgress,
}: {
  prisma: PrismaClient;
  repair: boolean;
  onProgress: OnProgress;
}): Promise<Finding> {
  const rows: Registered[] = await prisma.run.findMany({ where: { state: 'FINISHED' }, select: { path: true, cardSha256: true } });
  const registered = new Map(rows.map((row) => [row.path, row]));
  const folders = [...new Set([...registered.keys(), ...foldersBelow(path.join(cxrHome(), 'runs'))])].sort();
  const wrong: string[] = [];
  const notes: string[] = [];
  for (const [index, folder] of folders.entries()) {
    onProgress({ what: 'Comparing run folders with their hashes', done: index, total: folders.length });
    const found = await checkRun(folder, registered.get(folder));
    (found.ok ? notes : wrong).push(...found.lines);
    const parts = abandonedParts(folder);
    if (parts.length > 0 && repair) for (const part of parts) rmSync(part, { force: true });
    if (parts.length > 0) (repair ? notes : wrong).push(`${folder}: ${count(parts.length, 'unfinished file')}${repair ? ' deleted' : ''}`);
  }
  onProgress({ what: 'Comparing run folders with their hashes', done: folders.length, total: folders.length });
  const details = [...wrong, ...notes];
  return {
    part: 'runs',
    ok: wrong.length === 0,
    says: `${count(folders.length, 'run folder')} compared with their hashes${wrong.length === 0 ? ', all whole' : ''}`,
    ...(details.length > 0 ? { details } : {}),
  };
}

/** A finished run is sound if weights, card and row belong together; any other if its run.json can be read. */
async function checkRun(folder: string, row: Registered | undefined): Promise<{ ok: boolean; lines: string[] }> {
  const { readBytes, readCard, readRun, runFiles, sha256 } = await import('@cxr-lens/model/run-folder');
  try {
    const run = readRun(folder);
    if (run.state !== 'finished') return { ok: true, lines: [] };
    const files = runFiles(folder);
    readCard(folder);
    const missing = (file: string) => () => new CxrError('CORRUPT', `${file} is missing; take the run from a backup or train again.`);
    if (sha256(readBytes(files.weights, missing(files.weights))) !== run.weightsSha256) {
      return { ok: false, lines: [`${files.weights} is not what run.json says: take the run from a backup or train again`] };
    }
    const card = sha256(readBytes(files.card, missing(files.card)));
    if (row && row.cardSha256 !== card) {
      return {
        ok: false,
        lines: [`${folder}: its card is not the one that is registered: look at it, then "cxr-lens register ${folder}"`],
      };
    }
    if (run.cardSha256 !== null) return { ok: true, lines: [] };
    return { ok: true, lines: [`${folder} is of 0.1.0 and does not name the SHA-256 of its card; its next evaluation writes it`] };
  } catch (error) {
    if (!(error instanceof CxrError)) throw error;
    return { ok: false, lines: [error.message] };
  }
}

function foldersBelow(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .map((name) => path.join(root, name))
    .filter((folder) => existsSync(path.join(folder, 'run.json')));
}

/** Temporary files beside those that they were to become. */
function abandonedParts(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.\d+\.tmp$/.test(name))
    .map((name) => path.join(folder, name))
    .filter((file) => Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > ABANDONED_MS);
}
