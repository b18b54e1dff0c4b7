import { CxrError, type Finding } from '@cxr-lens/data';
import { PAPER_PROTOCOL, type Protocol } from '@cxr-lens/eval';
import { CardSchema } from '@cxr-lens/model/spec';
import type { AucResult, DataSet, Prisma, PrismaClient, Run } from '@cxr-lens/prisma';
import { z } from 'zod';
import { activeRunIds } from '../jobs.ts';
import type { Threads } from '../threads/threads.ts';
import { type Difference, differencesOf } from './difference.ts';
import { type Curve, type PublishedAuc, publishedAuc, referenceCurves } from './published.ts';
import { summary } from './summary.ts';

/** Each pair of them is bootstrapped for each boxed finding. */
export const MAX_RUNS = 20;

const WITH_RESULTS = {
  auc: true,
  dataSet: true,
  run: { select: { card: true } },
  localization: { include: { points: { orderBy: { iouThreshold: 'asc' } } } },
} satisfies Prisma.EvaluationInclude;

type EvaluationWithResults = Prisma.EvaluationGetPayload<{ include: typeof WITH_RESULTS }>;

export interface ComparedRun {
  run: Run;
  evaluation: EvaluationWithResults | null;
  auc: AucResult | null;
  curve: Curve | null;
}

export interface Comparison {
  finding: Finding;
  protocol: Protocol;
  dataSet: DataSet | null;
  runs: ComparedRun[];
  controls: Curve[];
  references: Curve[];
  publishedAuc: PublishedAuc[];
  differences: Difference[];
  statement: string | null;
}

export interface CompareRequest {
  findings: readonly Finding[];
  /** null: all active finished runs. */
  runIds: readonly string[] | null;
  protocol: string | null;
  /** null: the one that most of the runs were evaluated on, the newest of several. */
  dataSetId: string | null;
}

/** Runs side by side on one data set under one protocol, a comparison a finding. NOT_FOUND names a run or data set that is not there. */
export async function compare(
  { prisma, threads }: { prisma: PrismaClient; threads: Threads },
  request: CompareRequest,
): Promise<Comparison[]> {
  const protocol = request.protocol ?? PAPER_PROTOCOL.name;
  const runs = await runsOf(prisma, request.runIds);
  const evaluations = await evaluationsOf(prisma, { runs, protocol, dataSetId: request.dataSetId });
  const dataSet = evaluations[0]?.dataSet ?? null;
  return Promise.all(
    request.findings.map(async (finding) => {
      const compared = runs.map((run) => comparedRun(run, evaluations.find(({ runId }) => runId === run.id) ?? null, finding));
      const differences = await differencesOf(threads, compared, finding);
      return {
        finding,
        protocol: protocolOf(protocol, evaluations),
        dataSet,
        runs: compared,
        controls: controlsOf(evaluations, finding),
        references: referenceCurves(finding),
        publishedAuc: publishedAuc(finding),
        differences,
        statement: summary(finding, compared, differences),
      };
    }),
  );
}

/** As the evaluation describes it; one that nobody used is known by its name alone. */
function protocolOf(name: string, [evaluation]: readonly EvaluationWithResults[]): Protocol {
  if (evaluation) return { name, description: evaluation.protocolDescription };
  return name === PAPER_PROTOCOL.name ? PAPER_PROTOCOL : { name, description: '' };
}

async function runsOf(prisma: PrismaClient, runIds: readonly string[] | null): Promise<Run[]> {
  const ids = [...new Set(runIds ?? (await activeRunIds(prisma)).slice(-MAX_RUNS))];
  const rows = await prisma.run.findMany({ where: { id: { in: ids } } });
  return ids.map((id) => {
    const run = rows.find((candidate) => candidate.id === id);
    if (!run) throw new CxrError('NOT_FOUND', `There is no run ${id}.`);
    return run;
  });
}

interface Scope {
  runs: readonly Run[];
  protocol: string;
  dataSetId: string | null;
}

/** One evaluation a run at most, all on the same data, newest first. */
async function evaluationsOf(prisma: PrismaClient, { runs, protocol, dataSetId }: Scope): Promise<EvaluationWithResults[]> {
  const asked = dataSetId === null ? null : await prisma.dataSet.findUnique({ where: { id: dataSetId } });
  if (dataSetId !== null && !asked) throw new CxrError('NOT_FOUND', `There is no data set ${dataSetId}.`);
  const where = { runId: { in: runs.map(({ id }) => id) }, protocol };
  const datasetHash = asked?.datasetHash ?? (await commonHash(prisma, where));
  if (datasetHash === null) return [];
  return prisma.evaluation.findMany({
    where: { ...where, datasetHash },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    include: WITH_RESULTS,
  });
}

/** The data that most of these evaluations were made on. */
async function commonHash(prisma: PrismaClient, where: Prisma.EvaluationWhereInput): Promise<string | null> {
  const groups = await prisma.evaluation.groupBy({ by: ['datasetHash'], where, _count: true, _max: { createdAt: true } });
  const newest = (group: (typeof groups)[number]): number => group._max.createdAt?.getTime() ?? 0;
  return groups.toSorted((a, b) => b._count - a._count || newest(b) - newest(a))[0]?.datasetHash ?? null;
}

function comparedRun(run: Run, evaluation: EvaluationWithResults | null, finding: Finding): ComparedRun {
  return {
    run,
    evaluation,
    auc: evaluation?.auc.find((row) => row.finding === finding) ?? null,
    curve: evaluation?.localization.find((row) => row.finding === finding && row.kind === 'RUN') ?? null,
  };
}

/**
 * The controls of the newest evaluation of each size of maps: what a random or the best map reaches depends on its grid, the centre
 * prior does not. Where there are several sizes each says which it is of.
 */
function controlsOf(evaluations: readonly EvaluationWithResults[], finding: Finding): Curve[] {
  const byGrid = new Map<string, Curve[]>();
  for (const { run, localization } of evaluations) {
    const controls = localization.filter((row) => row.finding === finding && row.kind !== 'RUN');
    const grid = gridOf(run.card);
    if (controls.length > 0 && !byGrid.has(grid)) byGrid.set(grid, controls);
  }
  if (byGrid.size < 2) return [...byGrid.values()].flat();
  return [...byGrid].flatMap(([grid, controls], index) =>
    controls
      .filter(({ kind }) => index === 0 || kind !== 'CENTRE')
      .map((curve) => (curve.kind === 'CENTRE' ? curve : { ...curve, label: `${curve.label}, ${grid} maps` })),
  );
}

const CardGridSchema = z.object({ featureShape: CardSchema.shape.featureShape });

/** "28 x 28"; of runs whose card is not known, all the same. */
function gridOf(card: unknown): string {
  const parsed = CardGridSchema.safeParse(card);
  return parsed.success ? parsed.data.featureShape.slice(0, 2).join(' x ') : 'unknown';
}
