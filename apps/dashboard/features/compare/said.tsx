'use client';

import { Section } from '../../components/page.tsx';
import { decimal } from '../../lib/format.ts';
import type { Comparison } from './queries.ts';
import { pairVerdicts, type Said } from './verdicts.ts';

/** What the intervals allow to say of each pair of runs, in whole sentences. */
export function WhatCanBeSaid({ comparisons, onOpen }: { comparisons: readonly Comparison[]; onOpen: (finding: string) => void }) {
  const verdicts = pairVerdicts(comparisons);
  return (
    <Section title="What can be said" note="From the paired difference over the same boxes; its 95 % interval decides.">
      {verdicts.length === 0 && <p className="text-muted">Choose two runs or more: a difference needs a pair.</p>}
      <div className="flex flex-col gap-4">
        {verdicts.map(({ id, run, over, iouThreshold, higher, lower, undecided }) => (
          <div key={id} className="flex flex-col gap-1">
            <p className="font-semibold">
              {run} over {over}, at T(IoU) = {decimal(iouThreshold, 1)}
            </p>
            <Findings name="Higher" said={higher} onOpen={onOpen} />
            <Findings name="Lower" said={lower} onOpen={onOpen} />
            <Findings name="Cannot be told" said={undecided} onOpen={onOpen} />
            <details className="pt-1">
              <summary className="text-muted hover:text-ink">Every finding in a sentence</summary>
              <ul className="flex flex-col gap-1 pt-2">
                {[...higher, ...lower, ...undecided].map(({ finding, statement }) => (
                  <li key={finding}>{statement}</li>
                ))}
              </ul>
            </details>
          </div>
        ))}
      </div>
    </Section>
  );
}

function Findings({ name, said, onOpen }: { name: string; said: readonly Said[]; onOpen: (finding: string) => void }) {
  return (
    <p className="flex flex-wrap gap-x-2">
      <span className="w-28 text-muted">
        {name} <span className="text-small">{said.length}</span>
      </span>
      {said.length === 0 && <span className="text-muted">none</span>}
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
    </p>
  );
}
