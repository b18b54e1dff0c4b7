import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { explodedNote, MAX_SEED, optionsOf } from '@cxr-lens/model/spec';
import { Prisma, type PrismaClient, type Run, type RunState } from '../../generated/client/client.ts';
import { writeEvaluationRows } from './evaluation.ts';
import { type RunFolder, readRunFolder } from './files.ts';

type Tx = Prisma.TransactionClient;

/**
 * Rebuilds the rows of the run in `folder` (run, epochs, evaluations with their curves) from its files, in one transaction, as often as
 * you like. A parent that lies beside it is registered first. The first finished run of its method is put into use, unless its loss exploded.
 * CxrError NOT_FOUND and CORRUPT for the folder, CONFLICT when another folder has the same run id.
 */
export async function registerRun(prisma: PrismaClient, folder: string): Promise<Run> {
  return prisma.$transaction((tx) => writeRunRows(tx, folder), { timeout: 60_000 });
}

/** The same inside a transaction. */
export async function writeRunRows(tx: Tx, folder: string): Promise<Run> {
  const found = readRunFolder(folder);
  const { run } = found;
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`run ${run.id}`}, 0))`;
  const known = await tx.run.findUnique({ where: { id: run.id } });
  if (known) checkSameFolder(known, found.folder);
  const parentId = await registeredParent(tx, found);
  const datasetHash = run.data?.datasetHash ?? null;
  const dataSet = datasetHash === null ? null : await tx.dataSet.findUnique({ where: { datasetHash }, select: { id: true } });
  const data = {
    ...columnsOf(found),
    ...(await endOf(tx, known, found)),
    active: await shallBeActive(tx, known, found),
    parentId,
    dataSetId: dataSet?.id ?? null,
  };
  const row = await tx.run.upsert({ where: { id: run.id }, create: { id: run.id, ...data }, update: data });
  await tx.epoch.deleteMany({ where: { runId: run.id } });
  await tx.epoch.createMany({ data: run.epochs.map((epoch) => ({ runId: run.id, ...epoch, probe: epoch.probe ?? Prisma.DbNull })) });
  await writeEvaluationRows(tx, found);
  return row;
}

function columnsOf({ folder, run, card }: RunFolder) {
  if (run.seed > MAX_SEED)
    throw new CxrError(
      'UNSUPPORTED',
      `Run ${run.id} has the seed ${run.seed}: runs up to ${MAX_SEED} can be registered. Train it again with another one.`,
    );
  return {
    name: run.name,
    method: run.method,
    preset: run.preset,
    state: run.state.toUpperCase() as RunState,
    seed: run.seed,
    epsilon: optionsOf(run.method, run.options).includes('epsilon') ? run.options.epsilon : null,
    options: run.options,
    codeVersion: run.codeVersion,
    engine: run.engine,
    path: folder,
    weightsSha256: run.weightsSha256,
    cardSha256: card?.sha256 ?? null,
    ...(card ? { card: card.value } : {}),
    bestEpoch: run.bestEpoch,
    stepsPerEpoch: run.stepsPerEpoch,
    error: run.error?.message ?? null,
    datasetHash: run.data?.datasetHash ?? null,
    createdAt: run.createdAt,
    finishedAt: run.finishedAt,
  };
}

/** Of a run whose file was left at "training" (a kill -9) while its job ended: that end, not the file's state. */
async function endOf(tx: Tx, known: Run | null, { run }: RunFolder): Promise<Pick<Run, 'state' | 'error' | 'finishedAt'> | null> {
  if (run.state !== 'training' || (known?.state !== 'FAILED' && known?.state !== 'CANCELLED')) return null;
  const last = await tx.job.findFirst({ where: { runId: run.id, kind: 'TRAIN' }, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] });
  if (last?.state !== known.state) return null;
  return { state: known.state, error: known.error, finishedAt: known.finishedAt };
}

function checkSameFolder(known: Run, folder: string): void {
  if (!existsSync(path.join(known.path, 'run.json')) || realpathSync(known.path) === realpathSync(folder)) return;
  throw new CxrError('CONFLICT', `${folder} holds run ${known.id}, and so does ${known.path}, which is registered: move one of them away.`);
}

async function registeredParent(tx: Tx, { folder, run }: RunFolder): Promise<string | null> {
  if (!run.parent) return null;
  const { id } = run.parent;
  if (await tx.run.findUnique({ where: { id }, select: { id: true } })) return id;
  const beside = path.join(path.dirname(folder), id);
  if (!existsSync(path.join(beside, 'run.json'))) return null;
  return (await writeRunRows(tx, beside)).id === id ? id : null;
}

/**
 * What is in use stays; a run that is the first of its method to finish is put into use, one of those that finish at the same moment. One
 * whose validation loss exploded is never put into use without being asked for.
 */
async function shallBeActive(tx: Tx, known: Run | null, { run }: RunFolder): Promise<boolean> {
  if (run.state !== 'finished') return false;
  if (known?.state === 'FINISHED') return known.active;
  if (explodedNote(run) !== null || (await isOfSweep(tx, run))) return false;
  await lockActiveRun(tx, run.method);
  return (await tx.run.count({ where: { method: run.method, active: true, id: { not: run.id } } })) === 0;
}

/** A sweep's runs are measured against each other, and epsilon 0 is its control: which to use is for people to say. */
async function isOfSweep(tx: Tx, run: RunFolder['run']): Promise<boolean> {
  if (optionsOf(run.method, run.options).includes('epsilon') && run.options.epsilon === 0) return true;
  return (await tx.job.count({ where: { runId: run.id, sweepId: { not: null } } })) > 0;
}

/** Until the transaction ends, nobody else chooses which run of the method is in use. */
export async function lockActiveRun(tx: Prisma.TransactionClient, method: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`active ${method}`}, 0))`;
}
