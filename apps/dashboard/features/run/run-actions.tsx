'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { Button } from '../../components/controls.tsx';
import { Modal } from '../../components/overlays.tsx';
import { InlineError } from '../../components/states.tsx';
import { useSubscription } from '../../lib/subscribe.ts';
import { JobNow } from '../jobs/job-steps.tsx';
import { cancelJob, isOpen, type Job, JobDocument, resumeJob } from '../jobs/queries.ts';
import { activateRun, deactivateRun, evaluateRun, methodsOptions, type Run, runOptions } from './queries.ts';
import { SweepDialog } from './sweep-dialog.tsx';
import { TrainDialog } from './train-dialog.tsx';

/** What can be done with the run now. */
export function RunActions({ run }: { run: Run }) {
  const router = useRouter();
  const queries = useQueryClient();
  const [training, setTraining] = useState(false);
  const [sweeping, setSweeping] = useState(false);
  const [asking, setAsking] = useState(false);
  const [evaluation, setEvaluation] = useState<Job | null>(null);
  const refresh = (): void => {
    for (const queryKey of [runOptions(run.id).queryKey, ['runs'], ['compare'], ['jobs']]) void queries.invalidateQueries({ queryKey });
  };
  const evaluate = useMutation({ mutationFn: () => evaluateRun(run.id), onSuccess: (data) => setEvaluation(data.evaluateRun) });
  const activate = useMutation({
    mutationFn: (evenIfExploded: boolean) => activateRun({ id: run.id, evenIfExploded }),
    onSuccess: () => {
      setAsking(false);
      refresh();
    },
  });
  const deactivate = useMutation({ mutationFn: () => deactivateRun(run.id), onSuccess: refresh });
  const cancel = useMutation({ mutationFn: cancelJob, onSuccess: refresh });
  const resume = useMutation({ mutationFn: resumeJob, onSuccess: refresh });
  useSubscription(JobDocument, evaluation && isOpen(evaluation) ? { id: evaluation.id } : null, ({ job }) => {
    setEvaluation(job);
    if (!isOpen(job)) refresh();
  });
  const methods = useQuery(methodsOptions).data?.methods ?? [];
  const canStart = methods.some(({ startsFrom }) => startsFrom === run.method.name);
  const canSweep = methods.some(({ name, startsFrom }) => name === 'ROBUST' && startsFrom === run.method.name);
  const finished = run.state === 'FINISHED';
  const job = run.job;
  return (
    <div className="flex flex-col items-end gap-2 max-md:items-start">
      <div className="flex flex-wrap gap-2">
        {job && isOpen(job) && (
          <Button look="danger" disabled={cancel.isPending} onClick={() => cancel.mutate(job.id)}>
            Cancel training
          </Button>
        )}
        {job?.resumable && (
          <Button disabled={resume.isPending} onClick={() => resume.mutate(job.id)}>
            Resume training
          </Button>
        )}
        {finished && run.evaluations.length > 0 && (
          <Button onClick={() => router.push(`/?runs=${encodeURIComponent(run.id)}`)}>Compare</Button>
        )}
        {finished && (
          <Button disabled={evaluate.isPending || (evaluation !== null && isOpen(evaluation))} onClick={() => evaluate.mutate()}>
            Evaluate
          </Button>
        )}
        {finished && !run.active && (
          <Button
            disabled={activate.isPending}
            title={`Explains uploads from now on, in place of the ${run.method.label} run in use`}
            onClick={() => (run.exploded ? setAsking(true) : activate.mutate(false))}
          >
            Use for uploads
          </Button>
        )}
        {finished && run.active && (
          <Button disabled={deactivate.isPending} title="Explains no more uploads; its answers stay" onClick={() => deactivate.mutate()}>
            Stop using for uploads
          </Button>
        )}
        {finished && canStart && <Button onClick={() => setTraining(true)}>Train from it</Button>}
        {finished && canSweep && <Button onClick={() => setSweeping(true)}>Sweep epsilon</Button>}
      </div>
      <InlineError error={evaluate.error ?? activate.error ?? deactivate.error ?? cancel.error ?? resume.error} />
      {evaluation && (
        <div className="w-80 max-w-full">
          <p className="text-small text-muted">Evaluation</p>
          <JobNow job={evaluation} />
        </div>
      )}
      <Modal open={asking} onClose={() => setAsking(false)} title={`Use ${run.name} for uploads?`} description={run.exploded}>
        <div className="flex flex-wrap gap-2">
          <Button look="danger" disabled={activate.isPending} onClick={() => activate.mutate(true)}>
            Use it all the same
          </Button>
          <Button onClick={() => setAsking(false)}>Do not use it</Button>
        </div>
      </Modal>
      <TrainDialog open={training} onClose={() => setTraining(false)} from={run} />
      <SweepDialog open={sweeping} onClose={() => setSweeping(false)} from={run} />
    </div>
  );
}
