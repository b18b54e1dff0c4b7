import { CxrError } from '@cxr-lens/data';
import { PAPER_PROTOCOL, type Protocol } from '@cxr-lens/eval';
import { parseMethod } from '@cxr-lens/model/spec';
import { activeRunIds, type Prisma, type PrismaClient, type Run } from '@cxr-lens/prisma';
import { mainProtocol } from '../methods.ts';

/** Each pair of them is bootstrapped for each boxed finding. */
export const MAX_RUNS = 20;

export interface Scope {
  /** null: all active finished runs. */
  runIds: readonly string[] | null;
  /** null: the one that most of the runs were evaluated on, the newest of several. */
  dataSetId: string | null;
  /** The data that was measured by it comes first; null: by any. */
  protocol: string | null;
}

const WITH_RESULTS = {
  auc: true,
  dataSet: true,
  run: { select: { card: true } },
  localization: { include: { points: { orderBy: { iouThreshold: 'asc' } } } },
} satisfies Prisma.EvaluationInclude;

export type EvaluationWithResults = Prisma.EvaluationGetPayload<{ include: typeof WITH_RESULTS }>;

/** In the order asked for. NOT_FOUND names one that is not there. */
export async function runsOf(prisma: PrismaClient, runIds: readonly string[] | null): Promise<Run[]> {
  const ids = [...new Set(runIds ?? (await activeRunIds(prisma)).slice(-MAX_RUNS))];
  const rows = await prisma.run.findMany({ where: { id: { in: ids } } });
  return ids.map((id) => {
    const run = rows.find((candidate) => candidate.id === id);
    if (!run) throw new CxrError('NOT_FOUND', `There is no run ${id}.`);
    return run;
  });
}

interface Where extends Omit<Scope, 'runIds'> {
  runs: readonly Run[];
}

const NEWEST_FIRST = [{ createdAt: 'desc' }, { id: 'desc' }] satisfies Prisma.EvaluationOrderByWithRelationInput[];

/** Every evaluation of the runs on one data set, one a run and protocol. NOT_FOUND for a data set that is not there. */
export async function evaluationsOf(prisma: PrismaClient, asked: Where): Promise<EvaluationWithResults[]> {
  const where = await onOneDataSet(prisma, asked);
  return where ? prisma.evaluation.findMany({ where, orderBy: NEWEST_FIRST, include: WITH_RESULTS }) : [];
}

/** Which evaluations of the runs are on one data set; null where none is. NOT_FOUND for a data set that is not there. */
async function onOneDataSet(prisma: PrismaClient, { runs, dataSetId, protocol }: Where): Promise<Prisma.EvaluationWhereInput | null> {
  const asked = dataSetId === null ? null : await prisma.dataSet.findUnique({ where: { id: dataSetId } });
  if (dataSetId !== null && !asked) throw new CxrError('NOT_FOUND', `There is no data set ${dataSetId}.`);
  const where = { runId: { in: runs.map(({ id }) => id) } };
  const datasetHash = asked?.datasetHash ?? (await commonHash(prisma, where, protocol));
  return datasetHash === null ? null : { ...where, datasetHash };
}

/** The data that most of these runs were measured on. */
async function commonHash(prisma: PrismaClient, where: Prisma.EvaluationWhereInput, protocol: string | null): Promise<string | null> {
  const rows = await prisma.evaluation.findMany({ where, select: { runId: true, datasetHash: true, protocol: true, createdAt: true } });
  const own = rows.filter((row) => row.protocol === protocol);
  const counted = own.length > 0 ? own : rows;
  const groups = [...new Set(counted.map((row) => row.datasetHash))].map((hash) => {
    const group = counted.filter(({ datasetHash }) => datasetHash === hash);
    const newest = Math.max(...group.map(({ createdAt }) => createdAt.getTime()));
    return { hash, runs: new Set(group.map(({ runId }) => runId)).size, newest };
  });
  return groups.toSorted((a, b) => b.runs - a.runs || b.newest - a.newest)[0]?.hash ?? null;
}

/** The paper's wherever a run was measured by it; else how the first one is measured, as Supervised by its patches. */
export function commonProtocol(evaluations: readonly EvaluationWithResults[], runs: readonly Run[]): string {
  if (evaluations.some(({ protocol }) => protocol === PAPER_PROTOCOL.name)) return PAPER_PROTOCOL.name;
  const first = runs.map((run) => mainEvaluation(run, evaluations)).find((evaluation) => evaluation !== null);
  return first?.protocol ?? PAPER_PROTOCOL.name;
}

/** The run's evaluation by its method's main protocol, else any; null where it was not evaluated. */
export function mainEvaluation({ id, method }: Run, evaluations: readonly EvaluationWithResults[]): EvaluationWithResults | null {
  const own = evaluations.filter(({ runId }) => runId === id);
  return own.find(({ protocol }) => protocol === mainProtocol(parseMethod(method))) ?? own[0] ?? null;
}

/** As an evaluation describes it; one that nobody used is known by its name alone. */
export function protocolOf(
  name: string,
  evaluations: readonly Pick<EvaluationWithResults, 'protocol' | 'protocolDescription'>[],
): Protocol {
  const evaluation = evaluations.find(({ protocol }) => protocol === name);
  if (evaluation) return { name, description: evaluation.protocolDescription };
  return name === PAPER_PROTOCOL.name ? PAPER_PROTOCOL : { name, description: '' };
}

/** By which protocols the runs were measured on the data set of their comparison, the paper's first. NOT_FOUND as `runsOf`. */
export async function protocolsOf(prisma: PrismaClient, { runIds, ...asked }: Scope): Promise<Protocol[]> {
  const where = await onOneDataSet(prisma, { runs: await runsOf(prisma, runIds), ...asked });
  if (!where) return [];
  const select = { protocol: true, protocolDescription: true };
  const rows = await prisma.evaluation.findMany({ where, orderBy: NEWEST_FIRST, distinct: ['protocol'], select });
  const rank = (name: string): number => (name === PAPER_PROTOCOL.name ? 0 : 1);
  return rows
    .map(({ protocol, protocolDescription }) => ({ name: protocol, description: protocolDescription }))
    .toSorted((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name));
}
