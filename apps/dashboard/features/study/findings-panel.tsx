'use client';

import type { KeyboardEvent } from 'react';
import { MethodDot } from '../../components/marks.tsx';
import { decimal } from '../../lib/format.ts';
import { methodColour, runLabels } from '../../lib/methods.ts';
import { type FindingRow, score } from './findings.ts';
import type { ExplainedRun, Explanation } from './queries.ts';

/** The findings by probability: a bar for each run with its operating point, and what it decides. One is looked at. */
export function FindingsPanel({
  rows,
  runs,
  selected,
  onSelect,
}: {
  rows: readonly FindingRow[];
  runs: readonly ExplainedRun[];
  selected: string | null;
  onSelect: (finding: string) => void;
}) {
  const names = runLabels(runs);
  const scores = rows.some(({ answers }) => answers.some((answer) => answer?.probability === null));
  const step = (event: KeyboardEvent<HTMLDivElement>): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const now = rows.findIndex(({ name }) => name === selected);
    const next = rows[(now + by + rows.length) % rows.length];
    if (!next) return;
    onSelect(next.name);
    event.currentTarget.querySelector<HTMLElement>(`[data-finding="${next.name}"]`)?.focus();
  };
  return (
    <div>
      <p className="flex flex-wrap gap-x-4 pb-2">
        {runs.map((run) => (
          <span key={run.id} className="flex items-center gap-2">
            <MethodDot method={run.method.name} />
            {names.get(run.id)}
          </span>
        ))}
        <span className="text-small text-muted">
          Tick: operating point (Youden).
          {scores && ' Italic: a score, not a calibrated probability.'}
        </span>
      </p>
      <div role="radiogroup" aria-label="Findings, by calibrated probability" onKeyDown={step}>
        {rows.map((row) => (
          // biome-ignore lint/a11y/useSemanticElements: a row of bars cannot be an input
          <div
            key={row.name}
            role="radio"
            aria-checked={row.name === selected}
            data-finding={row.name}
            tabIndex={row.name === selected ? 0 : -1}
            onClick={() => onSelect(row.name)}
            onKeyDown={(event) => {
              if (event.key === ' ' || event.key === 'Enter') onSelect(row.name);
            }}
            className="grid cursor-pointer grid-cols-[minmax(0,8.5rem)_minmax(0,1fr)] items-center max-sm:grid-cols-[minmax(0,6.5rem)_minmax(0,1fr)] gap-x-3 border-t border-line py-1 pr-1 pl-2 outline-offset-0 hover:bg-raised aria-checked:bg-raised aria-checked:shadow-[inset_2px_0_0_var(--accent)]"
          >
            <span className="sm:truncate">{row.label}</span>
            <span className="flex min-w-0 flex-col">
              {row.answers.map((answer, index) => (
                <Answer key={runs[index]?.id ?? index} answer={answer} run={runs[index]!} name={names.get(runs[index]!.id)!} />
              ))}
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}

function Answer({ answer, run, name }: { answer: Explanation | undefined; run: ExplainedRun; name: string }) {
  if (!answer) {
    return (
      <span className="grid h-4.5 grid-cols-[2.5rem_minmax(0,1fr)_5.5rem] items-center gap-x-2 max-sm:grid-cols-[2rem_minmax(0,1fr)_4.75rem] text-muted">
        <span className="text-right">…</span>
        <span className="h-px bg-line" />
      </span>
    );
  }
  const { value, calibrated } = score(answer);
  const { operatingPoint, decision } = answer;
  const words = decision === null ? 'no decision' : `${decision ? 'above' : 'below'} ${decimal(operatingPoint)}`;
  return (
    <span
      className="grid h-4.5 grid-cols-[2.5rem_minmax(0,1fr)_5.5rem] items-center gap-x-2 max-sm:grid-cols-[2rem_minmax(0,1fr)_4.75rem]"
      title={`${name}: ${calibrated ? 'probability, Platt-scaled on the validation split' : `a score, not a probability: ${answer.probabilityReason ?? ''}`}${operatingPoint === null ? '. No operating point is known' : ''}`}
    >
      <span className={`text-right ${calibrated ? '' : 'text-muted italic'}`}>
        <span className="sr-only">{name} </span>
        {decimal(value)}
      </span>
      <span aria-hidden className="relative h-2 bg-line">
        <span
          className="absolute inset-y-0 left-0"
          style={{ width: `${value * 100}%`, background: methodColour(run.method.name), opacity: calibrated ? 1 : 0.5 }}
        />
        {operatingPoint !== null && (
          <span className="absolute -inset-y-1 w-0.5 bg-ink ring-1 ring-paper" style={{ left: `calc(${operatingPoint * 100}% - 1px)` }} />
        )}
      </span>
      <span className={`truncate text-small ${decision ? 'font-semibold' : 'text-muted'}`}>{words}</span>
    </span>
  );
}
