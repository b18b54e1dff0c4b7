'use client';

import { Plus } from 'lucide-react';
import { Button, Select } from '../../components/controls.tsx';
import { CopyButton } from '../../components/copy.tsx';
import { ExplodedMark, MethodDot } from '../../components/marks.tsx';
import { Menu } from '../../components/overlays.tsx';
import { runLabels } from '../../lib/methods.ts';
import type { Choice, ChoiceRun, Choices } from './queries.ts';

/** Which runs, which data set, which protocol. */
export function CompareBar({
  choices,
  protocols,
  chosen,
  shown,
  onChange,
}: {
  choices: Choices;
  /** Names of those by which the chosen runs were measured, the one that is shown unless asked first. */
  protocols: readonly string[];
  /** What is compared now. */
  chosen: { runs: readonly string[]; dataSet: string | null; protocol: string; published: boolean };
  /** Runs that stand in the bar: the active ones and the chosen ones. */
  shown: readonly ChoiceRun[];
  onChange: (change: Partial<Choice>) => void;
}) {
  const evaluated = evaluatedRuns(choices, chosen.dataSet);
  const others = evaluated.filter(({ id }) => !shown.some((run) => run.id === id));
  const names = runLabels(shown);
  const toggle = (id: string): void => {
    const runs = chosen.runs.includes(id) ? chosen.runs.filter((one) => one !== id) : [...chosen.runs, id];
    onChange({ runs: inOrder(evaluated, runs) });
  };
  // Without a word in the address the paper's protocol is shown, and it is said what stands apart.
  const onProtocol = (name: string): void => onChange({ protocol: name === protocols[0] ? null : name });
  return (
    <div className="flex flex-wrap items-center gap-x-6 gap-y-2 pb-4">
      <fieldset className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <legend className="sr-only">Runs to compare</legend>
        {shown.map((run) => (
          <label key={run.id} className="flex h-8 items-center gap-2" title={`${run.name}, preset ${run.preset}, seed ${run.seed}`}>
            <input type="checkbox" className="size-4" checked={chosen.runs.includes(run.id)} onChange={() => toggle(run.id)} />
            <MethodDot method={run.method.name} />
            {names.get(run.id)}
            {run.exploded && <ExplodedMark sentence={run.exploded} />}
          </label>
        ))}
        {others.length > 0 && (
          <Menu
            trigger={
              <Button look="quiet">
                <Plus aria-hidden className="size-4" />
                Run
              </Button>
            }
            items={others.map((run) => ({ label: `${run.name} · ${run.method.label}, seed ${run.seed}`, onSelect: () => toggle(run.id) }))}
          />
        )}
      </fieldset>
      <label className="flex h-8 items-center gap-2" title="Results that others have published, on the NIH images">
        <input
          type="checkbox"
          className="size-4"
          checked={chosen.published}
          onChange={(event) => onChange({ published: event.target.checked })}
        />
        Published
      </label>
      <div className="flex min-w-0 flex-wrap items-center gap-2 md:ml-auto">
        <Select
          aria-label="Data set"
          className="max-w-52"
          value={chosen.dataSet ?? ''}
          onChange={(event) => onChange({ dataSet: event.target.value, runs: null })}
        >
          {choices.dataSets.map(({ id, name, synthetic }) => (
            <option key={id} value={id}>
              {name}
              {synthetic ? ' (synthetic)' : ''}
            </option>
          ))}
        </Select>
        {protocols.length > 1 && (
          <Select aria-label="Protocol" value={chosen.protocol} onChange={(event) => onProtocol(event.target.value)}>
            {protocols.map((name) => (
              <option key={name} value={name}>
                Protocol: {name}
              </option>
            ))}
          </Select>
        )}
        <CopyButton text={() => window.location.href}>Share</CopyButton>
      </div>
    </div>
  );
}

/** Runs with an evaluation on the data set, oldest first, as everywhere. */
export function evaluatedRuns(choices: Choices, dataSet: string | null): ChoiceRun[] {
  return choices.runs.edges
    .map(({ node }) => node)
    .filter(({ evaluations }) => evaluations.some((evaluation) => dataSet === null || evaluation.dataSet?.id === dataSet))
    .reverse();
}

function inOrder(runs: readonly ChoiceRun[], ids: readonly string[]): string[] {
  return runs.map(({ id }) => id).filter((id) => ids.includes(id));
}
