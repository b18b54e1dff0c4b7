'use client';

import { useQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { useState } from 'react';
import { MethodDot, SyntheticBadge } from '../../components/marks.tsx';
import { Section } from '../../components/page.tsx';
import { Skeleton } from '../../components/states.tsx';
import { Table } from '../../components/table.tsx';
import { decimal, short } from '../../lib/format.ts';
import { mapLabel, runLabels } from '../../lib/methods.ts';
import { JobLog, JobNow } from '../jobs/job-steps.tsx';
import { isOpen } from '../jobs/queries.ts';
import { awaitedRows, defaultRuns, explainedRuns, findingRows } from './findings.ts';
import { FindingsPanel } from './findings-panel.tsx';
import { type ExplainedRun, type Explanation, expectedOptions, type StudyImage } from './queries.ts';
import { Viewer } from './viewer.tsx';

const LINK = 'underline decoration-line underline-offset-4 hover:decoration-ink';

/** One image of a study: what was found, where the runs look, and how far to trust it. */
export function ImageView({ image }: { image: StudyImage }) {
  const [job] = image.jobs;
  const working = job !== undefined && isOpen(job);
  const { data: expected } = useQuery({ ...expectedOptions, enabled: working });
  const awaited = working ? expected : undefined;
  const explained = explainedRuns(image);
  const all = [...explained, ...(awaited?.runs ?? []).filter(({ id }) => !explained.some((run) => run.id === id))];
  const [chosenRuns, setChosenRuns] = useState<readonly string[] | null>(null);
  const [chosenFinding, setChosenFinding] = useState<string | null>(null);
  const shownIds = chosenRuns ?? defaultRuns(all);
  const runs = all.filter(({ id }) => shownIds.includes(id));
  const ids = runs.map(({ id }) => id);
  const rows = awaited ? awaitedRows(image, ids, awaited.findings) : findingRows(image, ids);
  // Where a box is known, that finding is the one to look at first.
  const known = image.boxes[0]?.finding.name;
  const row = rows.find(({ name }) => name === chosenFinding) ?? rows.find(({ name }) => name === known) ?? rows[0];
  return (
    <div className="grid gap-x-8 gap-y-6 lg:grid-cols-[minmax(0,1.7fr)_minmax(340px,1fr)] 2xl:grid-cols-[minmax(0,1fr)_minmax(420px,520px)]">
      <div className="min-w-0">
        {all.length > 1 && <RunChoice all={all} shown={shownIds} onChange={setChosenRuns} />}
        <Viewer image={image} runs={runs} explanations={row?.answers ?? []} />
        {row && (
          <div className="pt-6">
            <Trust answers={row.answers} runs={runs} label={row.label} />
          </div>
        )}
      </div>
      <div className="min-w-0">
        {job && (working || job.state !== 'DONE') && (
          <Section title="Explanation" note={working ? 'What is ready appears at once.' : undefined}>
            <JobNow job={job} />
            <div className="pt-4">
              <JobLog job={job} />
            </div>
          </Section>
        )}
        <Section title="Findings" note={awaited ? 'Highest probability first when all are ready' : 'Highest probability first'}>
          {rows.length > 0 ? (
            <FindingsPanel rows={rows} runs={runs} selected={row?.name ?? null} onSelect={setChosenFinding} />
          ) : working ? (
            <Skeleton className="h-[640px]" />
          ) : (
            <p className="text-muted">
              {all.length > 0
                ? 'No run is shown: tick one.'
                : 'No run has explained this image. Put a finished run into use, then explain it.'}
            </p>
          )}
        </Section>
      </div>
      {row && (
        <div className="min-w-0 lg:col-span-2">
          <Behind answers={row.answers} runs={runs} label={row.label} />
          {job && !working && job.state === 'DONE' && (
            <details className="border-t border-line pt-3">
              <summary className="text-muted hover:text-ink">Steps of the explanation</summary>
              <div className="pt-3">
                <JobLog job={job} />
              </div>
            </details>
          )}
        </div>
      )}
    </div>
  );
}

function RunChoice({
  all,
  shown,
  onChange,
}: {
  all: readonly ExplainedRun[];
  shown: readonly string[];
  onChange: (runs: readonly string[]) => void;
}) {
  const names = runLabels(all);
  return (
    <fieldset className="flex flex-wrap items-center gap-x-4 pb-1">
      <legend className="sr-only">Runs shown</legend>
      {all.map(({ id, name, method }) => (
        <label key={id} className="flex h-8 items-center gap-2" title={name}>
          <input
            type="checkbox"
            className="size-4"
            checked={shown.includes(id)}
            onChange={(event) => onChange(event.target.checked ? [...shown, id] : shown.filter((one) => one !== id))}
          />
          <MethodDot method={method.name} />
          {names.get(id)}
        </label>
      ))}
    </fieldset>
  );
}

interface Shown {
  answers: readonly (Explanation | undefined)[];
  runs: readonly ExplainedRun[];
  label: string;
}

function Trust({ answers, runs, label }: Shown) {
  const names = runLabels(runs);
  const synthetic = runs.some(({ dataSet }) => dataSet?.synthetic);
  return (
    <Section
      title="How far to trust this"
      note={label}
      aside={synthetic ? <SyntheticBadge>measured on phantoms</SyntheticBadge> : undefined}
    >
      <ul className="flex flex-col gap-3">
        {runs.map((run, index) => (
          <li key={run.id} className="flex gap-2">
            <span className="pt-1.5">
              <MethodDot method={run.method.name} />
            </span>
            <span>
              <span className="sr-only">{names.get(run.id)}: </span>
              {answers[index] === undefined
                ? 'Still being worked out.'
                : (answers[index].evidence?.statement ??
                  `Nothing is known of how often ${names.get(run.id)} is right about ${label.toLowerCase()}: it has not been evaluated for it.`)}
              {run.method.note && ` ${run.method.note}`}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** The numbers behind the answer, the raw maps, and the versions that made them. */
function Behind({ answers, runs, label }: Shown) {
  const names = runLabels(runs);
  const rows = answers.flatMap((answer, index) => (answer ? [{ answer, run: runs[index]! }] : []));
  return (
    <Section title="Behind the answer" note={label}>
      <Table
        caption={`Numbers, maps and versions behind the answer for ${label}`}
        rows={rows}
        rowKey={({ run }) => run.id}
        columns={[
          {
            name: 'Run',
            cell: ({ run }) => (
              <Link href={`/runs/${encodeURIComponent(run.id)}`} className={`${LINK} whitespace-nowrap`} title={run.name}>
                {names.get(run.id)}
              </Link>
            ),
          },
          { name: 'Logit', right: true, cell: ({ answer }) => decimal(answer.logit) },
          {
            name: 'Probability',
            right: true,
            cell: ({ answer }) => (
              <span title={answer.probabilityReason ?? undefined}>
                {answer.probability === null ? 'not calibrated' : decimal(answer.probability, 3)}
              </span>
            ),
          },
          {
            name: 'Box',
            className: 'max-md:hidden',
            cell: ({ answer: { box, boxReason } }) =>
              box ? (
                `${box.x.toFixed(0)}, ${box.y.toFixed(0)}, ${box.width.toFixed(0)} × ${box.height.toFixed(0)} px`
              ) : (
                <span className="text-muted">{boxReason ?? 'none'}</span>
              ),
          },
          {
            name: 'Maps',
            cell: ({ answer, run }) => (
              <span className="flex flex-wrap gap-x-3">
                <a href={answer.overlayUrl} className={LINK}>
                  overlay
                </a>
                <a href={answer.cam.npyUrl} className={LINK} download>
                  {mapLabel(run.method.map)}
                </a>
                <a href={answer.saliency.npyUrl} className={LINK} download>
                  saliency
                </a>
              </span>
            ),
          },
          { name: 'Weights', className: 'max-sm:hidden', cell: ({ answer }) => <Pin value={answer.pins.weightsSha256} /> },
          {
            name: 'Card',
            className: 'max-md:hidden',
            cell: ({ answer }) => (
              <>
                <Pin value={answer.pins.cardSha256} />
                {answer.current ? null : <span title="The run's thresholds were chosen anew since: explain again."> (earlier)</span>}
              </>
            ),
          },
          { name: 'Data', className: 'max-lg:hidden', cell: ({ answer }) => <Pin value={answer.pins.datasetHash} /> },
          { name: 'Preprocessing', className: 'max-lg:hidden', cell: ({ answer }) => preprocessing(answer) },
          { name: 'Code', className: 'max-lg:hidden', cell: ({ answer }) => <Pin value={answer.pins.codeVersion} length={14} /> },
        ]}
      />
    </Section>
  );
}

const BITS_SOURCES = { CARD: 'by the card', SBIT: 'by its sBIT chunk', GUESS: 'by its greatest value' } as const;

/** The version, and how a 16-bit file was read. */
function preprocessing({ pins, bitsInUse }: Explanation): string {
  if (!bitsInUse) return pins.preprocessingVersion;
  return `${pins.preprocessingVersion}, ${bitsInUse.bits} of 16 bits ${BITS_SOURCES[bitsInUse.source]}`;
}

function Pin({ value, length = 8 }: { value: string; length?: number }) {
  return (
    <span className="font-mono text-small" title={value}>
      {short(value, length)}
    </span>
  );
}
