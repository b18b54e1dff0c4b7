'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { type FormEvent, useState } from 'react';
import { Button, Field, Select, TextArea, TextInput } from '../../components/controls.tsx';
import { Modal } from '../../components/overlays.tsx';
import { ErrorState, InlineError, Loading, Skeleton } from '../../components/states.tsx';
import type { MethodName, TrainChoicesQuery } from '../../gql/graphql.ts';
import { trainChoicesOptions, trainRun } from './queries.ts';
import { parseSettings, settingsText } from './settings.ts';

interface Start {
  id: string;
  name: string;
  method: { name: MethodName };
}

/** Starts a training job and opens the page of its run. `from`: the run to start from. */
export function TrainDialog({ open, onClose, from }: { open: boolean; onClose: () => void; from?: Start }) {
  const { data, error, refetch } = useQuery({ ...trainChoicesOptions, enabled: open });
  return (
    <Modal open={open} onClose={onClose} title="Train a run" description="A worker takes it up; this page shows every epoch as it ends.">
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : data ? (
        <TrainForm choices={data} from={from} />
      ) : (
        <Loading what="choices">
          <Skeleton className="h-80" />
        </Loading>
      )}
    </Modal>
  );
}

function TrainForm({ choices, from }: { choices: TrainChoicesQuery; from: Start | undefined }) {
  const router = useRouter();
  const queries = useQueryClient();
  const [method, setMethod] = useState<MethodName>(
    (from && choices.methods.find(({ startsFrom }) => startsFrom === from.method.name)?.name) ?? 'BASELINE',
  );
  const [perturbation, setPerturbation] = useState('');
  // Held here, not by the select: the run to start from may be younger than the list that opens first.
  const [parent, setParent] = useState(from?.id ?? '');
  const info = choices.methods.find(({ name }) => name === method);
  const startsFrom = info?.startsFrom;
  const { published, folds } = info ?? {};
  const perturbs = method === 'ROBUST' || (method !== 'BASELINE' && perturbation !== '');
  const finished = choices.runs.edges.map(({ node }) => node).filter(({ state }) => state === 'FINISHED');
  const known = from && !finished.some(({ id }) => id === from.id) ? [from, ...finished] : finished;
  // A perturbed run of any other method continues a converged run of its own.
  const parents = known.filter((run) => run.method.name === (startsFrom ?? (perturbation ? method : null)));
  const train = useMutation({
    mutationFn: (form: FormData) => trainRun(readForm(form, method)),
    onSuccess: ({ trainRun: job }) => {
      void queries.invalidateQueries({ queryKey: ['runs'] });
      router.push(job.run ? `/runs/${encodeURIComponent(job.run.id)}` : '/jobs');
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    train.mutate(new FormData(event.currentTarget));
  };
  if (choices.dataSets.length === 0) {
    return <p>No data set is registered yet. Prepare an NIH folder or phantoms on the command line and register the file.</p>;
  }
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Method" hint={[info?.description, info?.note].filter(Boolean).join(' ')}>
        <Select
          value={method}
          onChange={(event) => {
            setMethod(event.target.value as MethodName);
            setPerturbation('');
          }}
        >
          {choices.methods.map(({ name, label }) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </Select>
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Data set">
          <Select name="dataSet">
            {choices.dataSets.map(({ id, name, size, synthetic }) => (
              <option key={id} value={id}>
                {name}, {size} × {size}
                {synthetic ? ', synthetic' : ''}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Preset" hint="paper takes 224 × 224, small 96 × 96">
          <Select name="preset" defaultValue="">
            <option value="">by the size of the data set</option>
            <option value="small">small</option>
            <option value="paper">paper</option>
          </Select>
        </Field>
        <Field label="Start from">
          <Select
            name="fromRun"
            value={parents.some(({ id }) => id === parent) ? parent : (parents[0]?.id ?? '')}
            onChange={(event) => setParent(event.target.value)}
          >
            {!startsFrom && !perturbation && <option value="">the beginning</option>}
            {(startsFrom || perturbation) && parents.length === 0 && <option value="">no finished run to start from</option>}
            {parents.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Name, if you want one">
          <TextInput name="name" autoComplete="off" maxLength={80} />
        </Field>
        <Field label="Seed">
          <TextInput name="seed" type="number" min={0} step={1} defaultValue={0} />
        </Field>
        {Boolean(published) && (
          <Field label="Recipe" hint={`Published: ${settingsText(published)}`}>
            <Select key={method} name="recipe" defaultValue="">
              <option value="">as the paper trains all</option>
              <option value="published">as it was published</option>
            </Select>
          </Field>
        )}
        {typeof folds === 'number' && (
          <Field label="Fold" hint="The fifth of the boxed patients that it is scored on; it trains on the others">
            <Select key={method} name="fold" defaultValue="0">
              {Array.from({ length: folds }, (_, fold) => String(fold)).map((fold) => (
                <option key={fold} value={fold}>
                  {fold}
                </option>
              ))}
            </Select>
          </Field>
        )}
        <Field label="Perturbation" hint={method === 'BASELINE' ? 'A perturbed Baseline is Robust' : 'Of half of every batch'}>
          <Select
            name="perturbation"
            value={perturbation}
            onChange={(event) => setPerturbation(event.target.value)}
            disabled={method === 'BASELINE'}
          >
            <option value="">{method === 'ROBUST' ? 'L-infinity, as in the paper' : 'none'}</option>
            {method !== 'ROBUST' && <option value="linf">L-infinity</option>}
            <option value="l2">L2</option>
            <option value="spatial">rotation and translation</option>
            <option value="noise">Gaussian noise (control)</option>
          </Select>
        </Field>
        <Field label="Epsilon" hint={epsilonHint(perturbs, perturbation)}>
          <TextInput name="epsilon" type="number" min={0} max={1} step="any" disabled={!perturbs || perturbation === 'spatial'} />
        </Field>
      </div>
      <Field label="Other options, one name=value a line" hint="For example maxEpochs=10. Everything is recorded in the run.">
        <TextArea name="options" rows={3} className="font-mono text-small" />
      </Field>
      <InlineError error={train.error} />
      <Button look="primary" type="submit" disabled={train.isPending} className="self-start">
        {train.isPending ? 'Starting' : 'Start training'}
      </Button>
    </form>
  );
}

function epsilonHint(perturbs: boolean, perturbation: string): string {
  if (!perturbs) return 'Nothing is perturbed';
  return perturbation === 'spatial' ? 'Up to 15° and 10 % of the side' : 'Empty: 0.005, as in the paper';
}

function readForm(form: FormData, method: MethodName) {
  const text = (name: string): string | null => String(form.get(name) ?? '').trim() || null;
  const number = (name: string): number | null => (text(name) === null ? null : Number(text(name)));
  const chosen = { perturbation: text('perturbation'), recipe: text('recipe'), fold: number('fold') };
  const named = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== null));
  const options = { ...named, ...parseSettings(text('options') ?? '') };
  return {
    method,
    dataSet: text('dataSet') ?? '',
    preset: text('preset'),
    fromRun: text('fromRun'),
    name: text('name'),
    seed: number('seed'),
    epsilon: number('epsilon'),
    options: Object.keys(options).length > 0 ? options : null,
  };
}
