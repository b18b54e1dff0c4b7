'use client';

import { Section } from '../../components/page.tsx';
import type { Comparison } from './queries.ts';
import { notComparable, type PairVerdict, pairVerdicts, type Said } from './verdicts.ts';

/** The verdicts on each pair of runs, in whole sentences. */
export function WhatCanBeSaid({ comparisons, onOpen }: { comparisons: readonly Comparison[]; onOpen: (finding: string) => void }) {
  const verdicts = pairVerdicts(comparisons);
  const apart = notComparable(comparisons);
  const protocol = comparisons[0]?.protocol.name;
  return (
    <Section
      title="What can be said"
      note="Localisation accuracy, mean over T(IoU), as in the report and in cxr-lens compare: paired over the same boxes, twenty draws of the folds, corrected for eight findings."
    >
      {verdicts.length === 0 && <p className="text-muted">A difference needs two runs or more, measured by protocol {protocol}.</p>}
      <div className="grid gap-x-10 gap-y-4 md:grid-cols-2 xl:grid-cols-3 2xl:grid-cols-1">
        {verdicts.map((pair) => (
          <Pair key={pair.id} pair={pair} onOpen={onOpen} />
        ))}
      </div>
      {apart.length > 0 && <p className="pt-4 text-muted">Not comparable, measured by two protocols: {apart.join('; ')}.</p>}
    </Section>
  );
}

function Pair({ pair, onOpen }: { pair: PairVerdict; onOpen: (finding: string) => void }) {
  const { run, over, higher, lower, undecided } = pair;
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <p className="font-semibold">
        {run} over {over}
      </p>
      <Findings name="Higher" said={higher} onOpen={onOpen} />
      <Findings name="Lower" said={lower} onOpen={onOpen} />
      <Findings name="Undecided" said={undecided} onOpen={onOpen} />
      <details className="pt-1">
        <summary className="text-muted hover:text-ink">Every finding in a sentence</summary>
        <ul className="flex flex-col gap-1 pt-2">
          {[...higher, ...lower, ...undecided].map(({ finding, statement }) => (
            <li key={finding}>{statement}</li>
          ))}
        </ul>
      </details>
    </div>
  );
}

function Findings({ name, said, onOpen }: { name: string; said: readonly Said[]; onOpen: (finding: string) => void }) {
  if (said.length === 0) return null;
  return (
    <p className="grid grid-cols-[7.5rem_minmax(0,1fr)]">
      <span className="text-muted">
        {name} <span className="text-small">{said.length}</span>
      </span>
      <span className="flex flex-wrap gap-x-2">
        {said.map(({ finding, label, statement }, index) => (
          <span key={finding}>
            <button
              type="button"
              title={statement}
              className="underline decoration-line underline-offset-4 hover:decoration-ink"
              onClick={() => onOpen(finding)}
            >
              {label}
            </button>
            {index < said.length - 1 ? ',' : ''}
          </span>
        ))}
      </span>
    </p>
  );
}
