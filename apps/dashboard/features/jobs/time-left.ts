import { duration } from '../../lib/format.ts';
import type { Job } from './queries.ts';

type Training = Pick<Job, 'kind' | 'state'> & { run: Pick<NonNullable<Job['run']>, 'end'> | null; events: readonly { at: string }[] };

/** How long a training goes on and what ends it: its cap, or at the earliest the stop rule. Null where that is not known. */
export function timeLeft({ kind, state, run, events }: Training, now: number): string | null {
  if (kind !== 'TRAIN' || state !== 'RUNNING' || !run?.end || run.end.seconds === null) return null;
  const { epoch, by, seconds } = run.end;
  // The newest event is the end of the last epoch, or the start of an attempt that goes on after it.
  const since = events.length === 0 ? 0 : now - Date.parse(events.at(-1)!.at);
  const left = duration(1000 * Math.round(Math.max(0, seconds - since / 1000)));
  return by === 'CAP'
    ? `${left} left to the cap of ${epoch} epochs.`
    : `${left} left at the earliest: the stop rule allows the end after epoch ${epoch}, a smaller validation loss moves it on.`;
}
