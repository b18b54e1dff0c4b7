import type { Series } from '../../charts/line-chart.tsx';
import { niceTicks, ticks } from '../../charts/scale.ts';
import type { Sheet } from '../../charts/sheet.ts';
import { decimal } from '../../lib/format.ts';
import { methodColour } from '../../lib/methods.ts';
import type { Run } from './queries.ts';

/** Why a run without epochs has none. */
export function withoutEpochs({ state, imported }: Pick<Run, 'state' | 'imported'>): string {
  if (state === 'TRAINING') return 'The first epoch is under way; the curves begin when it ends.';
  if (imported && !imported.trainedHere) return `Imported weights (${imported.network}), no epochs: trained elsewhere.`;
  return 'No epoch was finished.';
}

type Learned = Pick<Run, 'epochs' | 'method'>;

/** Loss over the epochs: training thin, validation clean solid, validation perturbed dashed. */
export function lossSeries({ epochs, method }: Learned): Series[] {
  const colour = methodColour(method.name);
  const perturbed = epochs.some(({ perturbedValidationLoss }) => perturbedValidationLoss !== null);
  return [
    {
      id: 'train',
      label: 'training',
      colour: 'var(--control)',
      kind: 'control',
      points: epochs.map(({ epoch, trainLoss }) => ({ x: epoch, y: trainLoss })),
    },
    ...(perturbed
      ? [
          {
            id: 'perturbed',
            label: 'perturbed',
            colour,
            kind: 'reference',
            points: epochs.map(({ epoch, perturbedValidationLoss }) => ({ x: epoch, y: perturbedValidationLoss })),
          } satisfies Series,
        ]
      : []),
    {
      id: 'validation',
      label: perturbed ? 'clean' : 'validation',
      colour,
      kind: 'run',
      points: epochs.map(({ epoch, validationLoss }) => ({ x: epoch, y: validationLoss })),
    },
  ];
}

export function aucSeries({ epochs, method }: Learned): Series[] {
  return [
    {
      id: 'auc',
      label: 'validation',
      colour: methodColour(method.name),
      kind: 'run',
      points: epochs.map(({ epoch, validationAuc }) => ({ x: epoch, y: validationAuc })),
    },
  ];
}

export function epochAxis(epochs: number) {
  const last = Math.max(epochs, 2);
  return {
    label: 'Epoch',
    domain: [1, last] as const,
    ticks: ticks([1, last], Math.min(6, last)).filter(Number.isInteger),
    format: (value: number) => String(value),
  };
}

/** Around the values that were reached: a loss has no honest zero. */
export function lossAxis(series: readonly Series[]) {
  const marks = niceTicks(series.flatMap(({ points }) => points.map(({ y }) => y)));
  const step = marks[1]! - marks[0]!;
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  return {
    domain: [marks[0]!, marks.at(-1)!] as const,
    ticks: marks,
    format: (value: number) => decimal(value, digits).replace(/\.?0+(?=e)/, ''),
  };
}

/** 0.4 to 1 as everywhere; lower where an epoch was lower. */
export function aucAxis(series: readonly Series[]) {
  const lowest = Math.min(0.4, ...series.flatMap(({ points }) => points.flatMap(({ y }) => y ?? [])));
  const domain = [Math.floor(lowest * 10) / 10, 1] as const;
  return { domain, ticks: ticks(domain, 4), format: (value: number) => decimal(value, 1) };
}

/** What the crosshair reads at an epoch. */
export function readEpoch(series: readonly Series[], epoch: number): { id: string; colour: string; text: string }[] {
  return series.map(({ id, label, colour, points }) => ({
    id,
    colour,
    text: `${label} ${decimal(points.find(({ x }) => x === epoch)?.y, 3)}`,
  }));
}

export function epochSheet({ name, epochs }: Pick<Run, 'epochs' | 'name'>): Sheet {
  return {
    name: `training-${name}`,
    columns: [
      'Epoch',
      'Training loss',
      'Validation loss',
      'Perturbed validation loss',
      'Probe, clean',
      'Probe, own attack',
      'Probe, strong attack',
      'Validation AUC',
      'Seconds',
      'Best',
    ],
    rows: epochs.map((epoch) => [
      epoch.epoch,
      epoch.trainLoss,
      epoch.validationLoss,
      epoch.perturbedValidationLoss,
      epoch.probe?.clean ?? null,
      epoch.probe?.own ?? null,
      epoch.probe?.strong ?? null,
      epoch.validationAuc,
      epoch.seconds,
      epoch.best ? 'best' : '',
    ]),
  };
}

/** A sentence about the epochs in which the training's attack missed most of what a strong one found; null where there is none. */
export function overfittingNote(epochs: Run['epochs']): string | null {
  const found = epochs.filter(({ probe }) => probe?.overfitted).map(({ epoch }) => epoch);
  if (found.length === 0) return null;
  const when = found.length === 1 ? `epoch ${found[0]}` : `epochs ${found.join(', ')}`;
  return `Catastrophic overfitting at ${when}: the training's own attack reached less than half of what a strong attack did. Do not call this run robust; train with more attack steps or a random start.`;
}

/** By what a training ended; null while it goes on, and where that is not known. */
export function endNote({ state, end }: Pick<Run, 'state' | 'end'>): string | null {
  if (state !== 'FINISHED' || !end) return null;
  return end.by === 'CAP'
    ? `It ended at its cap, after epoch ${end.epoch}: it might have got better.`
    : `It ended by the stop rule, after epoch ${end.epoch}.`;
}
