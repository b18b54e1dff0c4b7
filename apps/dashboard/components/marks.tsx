import { FlaskConical, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { methodColour } from '../lib/methods.ts';

/** The data set holds no person: whatever was measured on it says nothing of patients. */
export function SyntheticBadge({ children = 'synthetic' }: { children?: ReactNode }) {
  return (
    <span
      title="Synthetic radiographs: no person was imaged, and figures measured on them say nothing of patients."
      className="inline-flex h-5 shrink-0 items-center gap-1 rounded-sm border border-edge px-1.5 text-small whitespace-nowrap text-muted"
    >
      <FlaskConical aria-hidden className="size-3" />
      {children}
    </span>
  );
}

/** A method's colour, as a dot before its name. */
export function MethodDot({ method }: { method: string }) {
  return <span aria-hidden className="inline-block size-2.5 shrink-0 rounded-full" style={{ background: methodColour(method) }} />;
}

/** The run's validation loss exploded: nothing it says can be relied on. The sentence stands on the run's page. */
export function ExplodedMark({ sentence }: { sentence: string }) {
  return (
    <span title={sentence} className="inline-flex shrink-0 items-center gap-1 text-small whitespace-nowrap text-danger">
      <TriangleAlert aria-hidden className="size-3" />
      loss exploded
    </span>
  );
}

const STATES: Record<string, { label: string; className: string }> = {
  TRAINING: { label: 'training', className: 'bg-accent animate-pulse' },
  RUNNING: { label: 'running', className: 'bg-accent animate-pulse' },
  QUEUED: { label: 'waiting', className: 'border border-edge' },
  FINISHED: { label: 'finished', className: 'bg-ink' },
  DONE: { label: 'done', className: 'bg-ink' },
  FAILED: { label: 'failed', className: 'bg-danger' },
  CANCELLED: { label: 'cancelled', className: 'bg-edge' },
};

/** The state of a run or job: a word with a mark, never a colour alone. */
export function StateMark({ state }: { state: string }) {
  const { label, className } = STATES[state] ?? { label: state.toLowerCase(), className: 'bg-edge' };
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <span aria-hidden className={`size-2 rounded-[1px] ${className}`} />
      {label}
    </span>
  );
}

/** How far something has come; without a total it says only that it goes on. */
export function ProgressBar({ label, done, total }: { label: string; done: number; total: number }) {
  const share = total > 0 ? Math.min(done / total, 1) : 0;
  return (
    <div role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={total} aria-valuenow={done} className="h-1 w-full bg-line">
      <div className="h-full bg-accent transition-[width] duration-300" style={{ width: `${share * 100}%` }} />
    </div>
  );
}
