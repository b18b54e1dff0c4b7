'use client';

import { useState } from 'react';
import { ChartSection } from '../../charts/chart-section.tsx';
import { LineChart } from '../../charts/line-chart.tsx';
import { Section } from '../../components/page.tsx';
import { decimal, duration } from '../../lib/format.ts';
import type { Run } from './queries.ts';
import {
  aucAxis,
  aucSeries,
  endNote,
  epochAxis,
  epochSheet,
  lossAxis,
  lossSeries,
  overfittingNote,
  readEpoch,
  withoutEpochs,
} from './training.ts';

/** How the run learned: loss clean and perturbed, validation AUC, the best epoch marked. Grows while it trains. */
export function TrainingSection({ run }: { run: Run }) {
  const [wanted, setWanted] = useState<number | null>(null);
  const { epochs } = run;
  if (epochs.length === 0) {
    return (
      <Section title="Training">
        <p className="flex h-[276px] items-center justify-center bg-raised text-muted">{withoutEpochs(run)}</p>
      </Section>
    );
  }
  const stops = epochs.map(({ epoch }) => epoch);
  const last = stops.at(-1)!;
  const epoch = wanted !== null && stops.includes(wanted) ? wanted : (run.bestEpoch ?? last);
  const warning = overfittingNote(epochs);
  const end = endNote(run);
  const loss = lossSeries(run);
  const auc = aucSeries(run);
  const shared = {
    x: epochAxis(last),
    height: '200px',
    stops,
    cursor: epoch,
    onCursor: setWanted,
    mark: run.bestEpoch === null ? undefined : { x: run.bestEpoch, label: `best: ${run.bestEpoch}` },
    labelRoom: 84,
  };
  const at = epochs.find((one) => one.epoch === epoch)!;
  const describe = (what: string): string => `${what} over ${last} epochs; the best is epoch ${run.bestEpoch ?? 'unknown'}.`;
  return (
    <ChartSection
      title="Training"
      note={`Epoch ${epoch} of ${last}: ${duration(at.seconds * 1000)}. The weights of the smallest clean validation loss are kept.${end ? ` ${end}` : ''}`}
      sheet={epochSheet(run)}
      caption={`${run.name}, ${run.method.label}${run.dataSet ? `, ${run.dataSet.name}` : ''}. CXR Lens`}
    >
      {warning && (
        <p role="alert" className="mb-4 max-w-[80ch] font-medium">
          {warning}
        </p>
      )}
      <div className="grid gap-x-10 gap-y-6 lg:grid-cols-2">
        <LineChart
          title="Loss"
          note={loss.length > 2 ? 'dashed: half of the validation set perturbed' : 'Eq. 1'}
          describe={`${describe('Loss')} Smallest validation loss ${decimal(Math.min(...epochs.map(({ validationLoss }) => validationLoss)), 3)}.`}
          series={loss}
          y={lossAxis(loss)}
          readout={readEpoch(loss, epoch)}
          {...shared}
        />
        <LineChart
          title="AUC"
          note="mean of the findings, validation split"
          describe={describe('Mean validation AUC')}
          series={auc}
          y={aucAxis(auc)}
          // As many lines as beside it, so that both axes stand level.
          readout={[...readEpoch(auc, epoch), ...loss.slice(1).map(({ id }) => ({ id: `blank-${id}`, colour: 'transparent', text: '' }))]}
          {...shared}
        />
      </div>
    </ChartSection>
  );
}
