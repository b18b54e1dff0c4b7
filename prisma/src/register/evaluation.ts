import { randomUUID } from 'node:crypto';
import { FINDINGS } from '@cxr-lens/data';
import type { AucFile, Curve, LocalizationFile } from '@cxr-lens/model/spec';
import type { CurveKind, Prisma } from '../../generated/client/client.ts';
import type { RunFolder } from './files.ts';

type Tx = Prisma.TransactionClient;

/** What a folder says by one protocol: the run's AUC, which no protocol changes, and the curves of the run and its controls. */
interface Measurement {
  auc: AucFile;
  localization: Pick<LocalizationFile, 'run' | 'controls'>;
}

/** Makes the evaluations of the run exactly those of its folder, one a protocol; the id of one that stays does not change. */
export async function writeEvaluationRows(tx: Tx, { run, evaluations }: RunFolder): Promise<void> {
  const kept: string[] = [];
  for (const { auc, localization } of newestOfEach(evaluations)) {
    const { datasetHash } = auc.data;
    const protocol = localization.run.protocol;
    const dataSet = await tx.dataSet.findUnique({ where: { datasetHash }, select: { id: true } });
    const key = { runId: run.id, datasetHash, protocol: protocol.name };
    const columns = {
      dataSetId: dataSet?.id ?? null,
      protocolDescription: protocol.description,
      weightsSha256: auc.weightsSha256,
      seed: auc.seed,
      images: auc.images,
      excludedPatients: auc.excludedPatients,
      meanAuc: auc.mean.auc,
      meanAucLow: auc.mean.bootstrap?.[0] ?? null,
      meanAucHigh: auc.mean.bootstrap?.[1] ?? null,
      createdAt: auc.createdAt,
    };
    const where = { runId_datasetHash_protocol: key };
    const { id } = await tx.evaluation.upsert({ where, create: { ...key, ...columns }, update: columns });
    await writeResults(tx, id, { auc, localization });
    kept.push(id);
  }
  await tx.evaluation.deleteMany({ where: { runId: run.id, id: { notIn: kept } } });
}

/** Every protocol of every folder; two folders may hold the same data set under two file names. */
function newestOfEach(evaluations: RunFolder['evaluations']): Measurement[] {
  const newest = new Map<string, Measurement>();
  for (const { auc, localization } of evaluations) {
    for (const measured of [localization, ...localization.others]) {
      const key = `${auc.data.datasetHash} ${measured.run.protocol.name}`;
      const before = newest.get(key);
      if (!before || before.auc.createdAt < auc.createdAt) newest.set(key, { auc, localization: measured });
    }
  }
  return [...newest.values()];
}

async function writeResults(tx: Tx, evaluationId: string, { auc, localization: { run, controls } }: Measurement): Promise<void> {
  await tx.aucResult.deleteMany({ where: { evaluationId } });
  await tx.localizationCurve.deleteMany({ where: { evaluationId } });
  await tx.aucResult.createMany({
    data: FINDINGS.map((finding) => {
      const { ci, bootstrap, reason, ...numbers } = auc.findings[finding];
      const intervals = {
        low: ci?.[0] ?? null,
        high: ci?.[1] ?? null,
        bootstrapLow: bootstrap?.[0] ?? null,
        bootstrapHigh: bootstrap?.[1] ?? null,
      };
      return { evaluationId, finding, ...numbers, ...intervals, reason: reason ?? null };
    }),
  });
  const curves = [
    ...curvesOf('RUN', 'This run', run.findings),
    ...curvesOf('RANDOM', 'Random map', controls.random.findings),
    ...curvesOf('CENTRE', 'Centre prior', controls.centre.findings),
    ...curvesOf('BEST_REACHABLE', 'Best reachable', controls.bestReachable.findings),
  ];
  await tx.localizationCurve.createMany({ data: curves.map(({ points: _, ...curve }) => ({ ...curve, evaluationId })) });
  await tx.localizationPoint.createMany({ data: curves.flatMap(({ id, points }) => points.map((point) => ({ curveId: id, ...point }))) });
}

function curvesOf(kind: CurveKind, label: string, findings: Partial<Record<string, Curve>>) {
  return FINDINGS.flatMap((finding) => {
    const curve = findings[finding];
    if (!curve) return [];
    const { pairs, threshold, meanIou, reason } = curve;
    return [{ id: randomUUID(), finding, kind, label, pairs, threshold, meanIou, reason, points: pointsOf(curve) }];
  });
}

/** Beside the accuracy what a protocol that makes boxes counts; null for the others. */
function pointsOf({ points, falsePositives, iobb }: Curve) {
  return points.map((point, at) => ({
    ...point,
    falsePositives: falsePositives?.[at] ?? null,
    iobbAccuracy: iobb?.points[at]?.accuracy ?? null,
    iobbLow: iobb?.points[at]?.low ?? null,
    iobbHigh: iobb?.points[at]?.high ?? null,
    iobbFalsePositives: iobb?.falsePositives?.[at] ?? null,
  }));
}
