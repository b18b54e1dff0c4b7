import type { Finding } from '@cxr-lens/data';
import type { DataSet, PrismaClient } from '@cxr-lens/prisma';
import type { TaskRunner } from '../tasks/runner.ts';
import { type ApartSet, type CurveSet, comparedRuns, curveSets } from './curve-sets.ts';
import { type Difference, differencesOf } from './difference.ts';
import { commonProtocol, evaluationsOf, runsOf, type Scope } from './measured.ts';
import { type Curve, type PublishedAuc, publishedAuc, referenceCurves } from './published.ts';
import { summary } from './summary.ts';

/** The curves that are drawn together, and apart from them those that must not be. */
export interface Comparison extends CurveSet {
  finding: Finding;
  dataSet: DataSet | null;
  apart: ApartSet[];
  references: Curve[];
  publishedAuc: PublishedAuc[];
  differences: Difference[];
  statement: string | null;
}

export interface CompareRequest extends Scope {
  findings: readonly Finding[];
  /** null: the paper's, and apart from it the own one of runs that were not measured by it. */
  protocol: string | null;
}

/** Runs side by side on one data set, one protocol at a time, a comparison a finding. NOT_FOUND names a run or data set that is not there. */
export async function compare(
  { prisma, tasks }: { prisma: PrismaClient; tasks: TaskRunner },
  request: CompareRequest,
): Promise<Comparison[]> {
  const runs = await runsOf(prisma, request.runIds);
  const evaluations = await evaluationsOf(prisma, { runs, dataSetId: request.dataSetId, protocol: request.protocol });
  const protocol = request.protocol ?? commonProtocol(evaluations, runs);
  const dataSet = evaluations[0]?.dataSet ?? null;
  return Promise.all(
    request.findings.map(async (finding) => {
      const compared = comparedRuns(runs, evaluations, { finding, protocol, apart: request.protocol === null });
      const differences = await differencesOf(tasks, compared, finding);
      return {
        finding,
        dataSet,
        ...curveSets(compared, finding, protocol),
        references: referenceCurves(finding, protocol),
        publishedAuc: publishedAuc(finding),
        differences,
        statement: summary(finding, compared, differences),
      };
    }),
  );
}
