'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import type { FormEvent } from 'react';
import { Button, Field, TextArea, TextInput } from '../../components/controls.tsx';
import { Modal } from '../../components/overlays.tsx';
import { ErrorState, InlineError, Loading, Skeleton } from '../../components/states.tsx';
import { epsilonsOptions, sweepEpsilon } from './queries.ts';
import { parseEpsilons, parseSettings } from './settings.ts';

interface Start {
  id: string;
  name: string;
}

/** Starts one Robust run per epsilon from the Baseline and opens the list of jobs, which shows them together. */
export function SweepDialog({ open, onClose, from }: { open: boolean; onClose: () => void; from: Start }) {
  const { data, error, refetch } = useQuery({ ...epsilonsOptions, enabled: open });
  return (
    <Modal
      open={open}
      onClose={onClose}
      title="Sweep epsilon"
      description={`One Robust run per epsilon, each from ${from.name}; as many at a time as there are workers.`}
    >
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : data ? (
        <SweepForm epsilons={data.sweepEpsilons} from={from} />
      ) : (
        <Loading what="epsilons">
          <Skeleton className="h-64" />
        </Loading>
      )}
    </Modal>
  );
}

function SweepForm({ epsilons, from }: { epsilons: readonly number[]; from: Start }) {
  const router = useRouter();
  const queries = useQueryClient();
  const sweep = useMutation({
    mutationFn: async (form: FormData) => sweepEpsilon(readForm(form, from)),
    onSuccess: () => {
      for (const queryKey of [['runs'], ['jobs']]) void queries.invalidateQueries({ queryKey });
      router.push('/jobs');
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    sweep.mutate(new FormData(event.currentTarget));
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Epsilons" hint="In pixels of [0, 1]. 0 is the control: trained on, unperturbed.">
        <TextInput name="epsilons" autoComplete="off" defaultValue={epsilons.join(', ')} />
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name, if you want one">
          <TextInput name="name" autoComplete="off" maxLength={80} />
        </Field>
        <Field label="Seed">
          <TextInput name="seed" type="number" min={0} step={1} defaultValue={0} />
        </Field>
      </div>
      <Field label="Other options of all runs, one name=value a line" hint="For example maxEpochs=10. Everything is recorded in the runs.">
        <TextArea name="options" rows={3} className="font-mono text-small" />
      </Field>
      <InlineError error={sweep.error} />
      <Button look="primary" type="submit" disabled={sweep.isPending} className="self-start">
        {sweep.isPending ? 'Starting' : 'Start sweep'}
      </Button>
    </form>
  );
}

function readForm(form: FormData, from: Start) {
  const text = (name: string): string => String(form.get(name) ?? '').trim();
  const options = parseSettings(text('options'));
  return {
    fromRun: from.id,
    epsilons: parseEpsilons(text('epsilons')),
    name: text('name') || null,
    seed: text('seed') === '' ? null : Number(text('seed')),
    options: Object.keys(options).length > 0 ? options : null,
  };
}
