import { findingLabel, isBoxedFinding, parseFinding } from '@cxr-lens/data';
import { METHOD_NAMES, METHODS, parseMethod } from '@cxr-lens/model/spec';
import type { AucResult, PrismaClient } from '@cxr-lens/prisma';
import { mainProtocol } from './methods.ts';
import { EXPLODED_SELECT, explodedOf } from './runs.ts';
import { aucInterval, percent } from './words.ts';

/** T(IoU) at which an explanation says how far to trust it: the one that the comparison's sentences use too. */
export const TRUST_IOU = 0.3;

export interface Evidence {
  protocol: string;
  iouThreshold: number;
  accuracy: number | null;
  low: number | null;
  high: number | null;
  pairs: number;
  auc: number | null;
  statement: string;
}

/** Key of one run's evidence for one finding; a run id holds no slash, as it names a folder. */
export const evidenceKey = (runId: string, finding: string): string => `${runId}/${finding}`;

/** Evidence for each key by the main protocol of the run's method, null for a run without such an evaluation: one query for all of them. */
export async function loadEvidence(prisma: PrismaClient, keys: readonly string[]): Promise<(Evidence | null)[]> {
  const wanted = keys.map((key) => ({ runId: key.slice(0, key.lastIndexOf('/')), finding: key.slice(key.lastIndexOf('/') + 1) }));
  const runIds = [...new Set(wanted.map(({ runId }) => runId))];
  const findings = [...new Set(wanted.map(({ finding }) => finding))];
  const newest = await prisma.evaluation.findMany({
    where: {
      runId: { in: runIds },
      OR: METHOD_NAMES.map((method) => ({ run: { method }, protocol: mainProtocol(method) })),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    distinct: ['runId'],
    include: {
      run: { select: EXPLODED_SELECT },
      dataSet: { select: { name: true, synthetic: true } },
      auc: { where: { finding: { in: findings } } },
      localization: { where: { kind: 'RUN', finding: { in: findings } }, include: { points: { where: { iouThreshold: TRUST_IOU } } } },
    },
  });
  return wanted.map(({ runId, finding }) => {
    const evaluation = newest.find((candidate) => candidate.runId === runId);
    if (!evaluation) return null;
    const curve = evaluation.localization.find((candidate) => candidate.finding === finding);
    const auc = evaluation.auc.find((candidate) => candidate.finding === finding);
    const point = curve?.points[0];
    const measured = {
      protocol: evaluation.protocol,
      iouThreshold: TRUST_IOU,
      accuracy: point?.accuracy ?? null,
      low: point?.low ?? null,
      high: point?.high ?? null,
      pairs: curve?.pairs ?? 0,
    };
    const where = evaluation.dataSet ? ` of ${evaluation.dataSet.name}${evaluation.dataSet.synthetic ? ', which are synthetic' : ''}` : '';
    const label = METHODS[parseMethod(evaluation.run.method)].label;
    const exploded = explodedOf(evaluation.run);
    const statement = `${exploded === null ? '' : `${exploded} `}${statementOf(label, finding, measured, auc, where)}`;
    return { ...measured, auc: auc?.auc ?? null, statement };
  });
}

type Measured = Omit<Evidence, 'auc' | 'statement'>;

function statementOf(method: string, finding: string, measured: Measured, auc: AucResult | undefined, where: string): string {
  return `${locationSentence(method, finding, measured, where)} ${aucSentence(auc, finding)}`;
}

function locationSentence(method: string, finding: string, { protocol, accuracy, low, high, pairs }: Measured, where: string): string {
  const label = findingLabel(parseFinding(finding));
  if (!isBoxedFinding(parseFinding(finding)))
    return `No boxes of ${label} exist: nobody has measured whether its map points to the right place.`;
  if (accuracy === null) return `Too few test images${where} have a box of ${label} (${pairs}) to say how often it is located right.`;
  const band = low === null || high === null ? '' : ` (${percent(low)} to ${percent(high)})`;
  return `${method} located ${label} right in ${percent(accuracy)} %${band} of ${pairs} boxed test images${where}, at T(IoU) = ${TRUST_IOU} by protocol ${protocol}.`;
}

function aucSentence(auc: AucResult | undefined, finding: string): string {
  const label = findingLabel(parseFinding(finding));
  if (auc?.auc == null) return `Its AUC for ${label} is unknown${auc?.reason ? `: ${auc.reason}` : ''}.`;
  return `Its AUC for ${label} is ${auc.auc.toFixed(2)}${aucInterval(auc)}.`;
}
