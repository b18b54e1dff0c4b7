import { CxrError } from '@cxr-lens/data';
import {
  CardSchema,
  defaultOptions,
  type End,
  earliestEnd,
  explodedNote,
  type Imported,
  optionsOf,
  parseMethod,
  secondsLeft,
  standardOptions,
  type TrainOptions,
  TrainOptionsSchema,
  writtenOptions,
} from '@cxr-lens/model/spec';
import { lockActiveRun, type PrismaClient, type Run } from '@cxr-lens/prisma';

export interface OptionValue {
  name: string;
  value: unknown;
  default: unknown;
  changed: boolean;
}

/** The options that the run's method uses, those that differ from the default of its recipe first. */
export function optionValues(run: Pick<Run, 'method' | 'options'>): OptionValue[] {
  const method = parseMethod(run.method);
  const options = optionsIn(run);
  const defaults = standardOptions(method, options);
  const values = optionsOf(method, options).map((name) => {
    const standard = defaults[name];
    const value = options[name];
    return { name, value, default: standard, changed: value !== standard };
  });
  return [...values.filter(({ changed }) => changed), ...values.filter(({ changed }) => !changed)];
}

/** The columns that tell whether a run's validation loss exploded; the epochs are those of its training. */
export const EXPLODED_SELECT = {
  method: true,
  options: true,
  bestEpoch: true,
  epochs: { select: { epoch: true, validationLoss: true } },
} as const;

type TrainedRun = Pick<Run, 'method' | 'options' | 'bestEpoch'> & Pick<Parameters<typeof explodedNote>[0], 'epochs'>;

/** Warns of a run whose validation loss exploded; null for other runs. */
export function explodedOf(run: TrainedRun): string | null {
  return explodedNote({ ...run, method: parseMethod(run.method), options: optionsIn(run) });
}

export interface TrainingEnd extends End {
  seconds: number | null;
}

/** Where the training of a run ends at the earliest, or has ended; null where it was not trained here, or has not begun. */
export function endOf(
  run: Pick<Run, 'method' | 'options' | 'bestEpoch' | 'stepsPerEpoch'> & { epochs: { seconds: number }[] },
): TrainingEnd | null {
  const { stepsPerEpoch, bestEpoch, epochs } = run;
  if (!stepsPerEpoch || epochs.length === 0) return null;
  const end = earliestEnd({ bestEpoch, stepsPerEpoch, options: optionsIn(run) });
  return { ...end, seconds: secondsLeft(end, epochs) };
}

/** The options of a row, which an earlier version may have written. */
function optionsIn(run: Pick<Run, 'method' | 'options'>): TrainOptions {
  const method = parseMethod(run.method);
  return TrainOptionsSchema.catch(defaultOptions(method)).parse(writtenOptions(method, run.options));
}

type RepeatedRun = Pick<Run, 'method' | 'preset' | 'path' | 'options' | 'card' | 'datasetHash'> & {
  dataSet: { path: string } | null;
  parent: { path: string } | null;
};

/** The command line that makes the run again, into a folder beside it. */
export function commandOf(run: RepeatedRun): string {
  const imported = importedOf(run);
  if (imported && !imported.trainedHere) {
    return `npx --no cxr-lens import FILE --network ${imported.network} --out ${quoted(`${run.path}-again`)}`;
  }
  const words = [
    'npx --no cxr-lens train',
    run.method,
    '--data',
    quoted(run.dataSet?.path ?? 'FILE'),
    '--out',
    quoted(`${run.path}-again`),
    '--preset',
    run.preset,
  ];
  if (run.parent) words.push('--from', quoted(run.parent.path));
  else if (imported) words.push('--from', quoted(imported.id));
  for (const { name, value, changed } of optionValues(run)) if (changed) words.push('--set', `${name}=${String(value)}`);
  return words.join(' ');
}

export interface ImportedStart extends Imported {
  /** False where nothing was trained from the weights: the run is what was imported. */
  trainedHere: boolean;
}

/** The weights of another program that the run started from or is, as its card has them. An import was trained on no data of ours. */
export function importedOf({ card, datasetHash }: Pick<Run, 'card' | 'datasetHash'>): ImportedStart | null {
  const imported = CardSchema.shape.imported.catch(null).parse(Object(card).imported);
  return imported && { ...imported, trainedHere: datasetHash !== null };
}

const quoted = (word: string): string => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** No upload is explained by the run from now on; its answers stay. CxrError NOT_FOUND. */
export async function deactivateRun(prisma: PrismaClient, id: string): Promise<void> {
  const { count } = await prisma.run.updateMany({ where: { id }, data: { active: false } });
  if (count === 0) throw new CxrError('NOT_FOUND', `There is no run ${id}.`);
}

/**
 * Makes a finished run the one of its method that explains uploads. NOT_FOUND, or CONFLICT for a run that is not finished, and for one whose
 * validation loss exploded unless the caller says that it shall be used all the same.
 */
export async function activateRun(prisma: PrismaClient, id: string, { evenIfExploded = false } = {}): Promise<void> {
  await prisma.$transaction(async (tx) => {
    const run = await tx.run.findUnique({ where: { id }, select: { ...EXPLODED_SELECT, state: true } });
    if (!run) throw new CxrError('NOT_FOUND', `There is no run ${id}.`);
    if (run.state !== 'FINISHED')
      throw new CxrError('CONFLICT', `Run ${id} is ${run.state.toLowerCase()}: only a finished run can be put into use.`);
    const exploded = explodedOf(run);
    if (exploded !== null && !evenIfExploded)
      throw new CxrError('CONFLICT', `Run ${id} is not put into use. ${exploded} To use it all the same, pass evenIfExploded: true.`);
    await lockActiveRun(tx, run.method);
    await tx.run.updateMany({ where: { method: run.method, active: true, id: { not: id } }, data: { active: false } });
    await tx.run.update({ where: { id }, data: { active: true } });
  });
}
