import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { BOXED_FINDINGS, type BoxedFinding, CxrError, findingLabel } from '@cxr-lens/data';
import { compareRuns, type IouTable, type LocalizationCurve, localizationDifference } from '@cxr-lens/eval';
import { readIous } from '@cxr-lens/model/ious';
import { type LocalizationFile, LocalizationFileSchema } from '@cxr-lens/model/spec';

/** One run's measured curves: rows do not hold each pair's IoUs, the run folder does. */
export interface MeasuredCurves {
  label: string;
  runPath: string;
  datasetHash: string;
  protocol: string;
  weightsSha256: string;
}

/** The accuracy of `a` minus that of `b` on the same pairs, for every boxed finding. */
export interface PairedTask {
  kind: 'difference';
  where: string;
  iouThreshold: number;
  a: MeasuredCurves;
  b: MeasuredCurves;
}

export interface PairedDifference {
  finding: BoxedFinding;
  /** At `iouThreshold`. */
  difference: number | null;
  interval: [number, number] | null;
  pairs: number;
  /** By the rule of the report and of `compare`, of the mean over T(IoU): it depends on no seed of the evaluations. */
  verdict: 'HIGHER' | 'LOWER' | 'UNDECIDED';
  statement: string;
}

const VERDICTS = { higher: 'HIGHER', lower: 'LOWER', 'no difference detected': 'UNDECIDED' } as const;

/**
 * Null where a run folder is not in reach. A finding is left out where the two share no pair, or have no IoUs and curves that were not
 * measured on the same pairs in the same folds, as with another seed.
 */
export async function pairedDifferences(task: PairedTask): Promise<PairedDifference[] | null> {
  const [a, b] = await Promise.all([evaluationOf(task.a), evaluationOf(task.b)]);
  if (!a || !b) return null;
  const ious = { a: keptIous(a.folder, task.a), b: keptIous(b.folder, task.b) };
  return ious.a && ious.b ? verdictsOf(task, { a: ious.a, b: ious.b }) : withoutVerdicts(task, { a: a.findings, b: b.findings });
}

function verdictsOf({ a, b, iouThreshold }: PairedTask, ious: { a: IouTable; b: IouTable }): PairedDifference[] {
  // Only the report compares with the paper's claims.
  const { localization } = compareRuns({
    a: { label: a.label, method: null, ious: ious.a },
    b: { label: b.label, method: null, ious: ious.b },
  });
  return localization
    .filter(({ pairs }) => pairs > 0)
    .map(({ finding, pairs, mean, points, sentence }) => {
      const { difference, interval } = points.find((point) => point.iouThreshold === iouThreshold)!;
      return { finding, difference, interval, pairs, verdict: VERDICTS[mean.direction], statement: sentence };
    });
}

type Curves = Record<BoxedFinding, LocalizationCurve>;

/** The difference of the curves alone: it hangs on the draw of their folds, so nothing is called higher or lower by it. */
function withoutVerdicts({ a, iouThreshold }: PairedTask, curves: { a: Curves; b: Curves }): PairedDifference[] {
  const why =
    a.protocol === 'nih'
      ? 'by protocol nih there is none'
      : 'an evaluation holds no IoUs of its pairs, as one of 0.1.0; evaluate the runs again and register them';
  return BOXED_FINDINGS.flatMap((finding) => {
    try {
      const { difference, interval, pairs } = localizationDifference(curves.a[finding], curves.b[finding], { iouThreshold });
      const statement = `No verdict for ${findingLabel(finding)}: ${why}.`;
      return [{ finding, difference, interval, pairs, verdict: 'UNDECIDED' as const, statement }];
    } catch (error) {
      if (error instanceof CxrError) return [];
      throw error;
    }
  });
}

/** The evaluation folder of the row: one that was trained or evaluated anew and is not registered yet has other weights. */
async function evaluationOf(measured: MeasuredCurves): Promise<{ folder: string; findings: Curves } | null> {
  const parent = path.join(measured.runPath, 'evaluation');
  for (const name of await readdir(parent).catch(() => [])) {
    const folder = path.join(parent, name);
    const text = await readFile(path.join(folder, 'localization.json'), 'utf8').catch(() => null);
    const file = text === null ? null : LocalizationFileSchema.safeParse(parsed(text)).data;
    if (!file || file.data.datasetHash !== measured.datasetHash || file.weightsSha256 !== measured.weightsSha256) continue;
    const findings = curvesOf(file, measured.protocol);
    if (findings) return { folder, findings };
  }
  return null;
}

function curvesOf(file: LocalizationFile, protocol: string): Curves | undefined {
  return [file, ...file.others].find(({ run }) => run.protocol.name === protocol)?.run.findings;
}

/** Null for an evaluation of 0.1.0, for another protocol than the method's main one, and for IoUs that are damaged or of another evaluation. */
function keptIous(folder: string, { datasetHash, protocol, weightsSha256 }: MeasuredCurves): IouTable | null {
  try {
    const kept = readIous(folder);
    if (!kept || kept.file.weightsSha256 !== weightsSha256 || kept.file.data.datasetHash !== datasetHash) return null;
    return kept.file.protocol.name === protocol ? kept.run : null;
  } catch (error) {
    if (error instanceof CxrError) return null;
    throw error;
  }
}

/** null for what is no JSON, as of a file that was cut off. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
