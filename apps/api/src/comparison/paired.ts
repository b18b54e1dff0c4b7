import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BoxedFinding } from '@cxr-lens/data';
import { type LocalizationCurve, type LocalizationDifference, localizationDifference, statement } from '@cxr-lens/eval';
import { LocalizationFileSchema } from '@cxr-lens/model/spec';

/** One run's measured curve: rows do not hold each pair's IoU in every fold, the run folder does. */
export interface MeasuredCurve {
  label: string;
  runPath: string;
  datasetHash: string;
  protocol: string;
  weightsSha256: string;
  /** As the row has it. */
  pairs: number;
}

/** The accuracy of `a` minus that of `b` on the same pairs. */
export interface PairedTask {
  kind: 'difference';
  where: string;
  finding: BoxedFinding;
  iouThreshold: number;
  a: MeasuredCurve;
  b: MeasuredCurve;
}

export interface PairedDifference extends LocalizationDifference {
  statement: string;
}

/** null where a run folder is not in reach, or the curves were not measured on the same pairs in the same folds, as with another seed. */
export async function pairedDifference({ finding, iouThreshold, a, b }: PairedTask): Promise<PairedDifference | null> {
  const [curveA, curveB] = await Promise.all([scoredCurve(a, finding), scoredCurve(b, finding)]);
  if (!curveA || !curveB) return null;
  try {
    const difference = localizationDifference(curveA, curveB, { iouThreshold });
    return { ...difference, statement: statement({ finding, a: a.label, b: b.label, difference }) };
  } catch {
    return null;
  }
}

async function scoredCurve(measured: MeasuredCurve, finding: BoxedFinding): Promise<LocalizationCurve | null> {
  const folder = path.join(measured.runPath, 'evaluation');
  for (const name of await readdir(folder).catch(() => [])) {
    const text = await readFile(path.join(folder, name, 'localization.json'), 'utf8').catch(() => null);
    const file = text === null ? null : LocalizationFileSchema.safeParse(parsed(text)).data;
    if (!file || file.data.datasetHash !== measured.datasetHash) continue;
    const curve = [file, ...file.others].find(({ run }) => run.protocol.name === measured.protocol)?.run.findings[finding];
    // A folder that was trained or evaluated anew and not registered yet does not belong to the row's curve.
    if (curve && file.weightsSha256 === measured.weightsSha256 && curve.pairs === measured.pairs) return curve;
  }
  return null;
}

/** null for what is no JSON, as of a file that was cut off. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
