'use client';

import { CircleAlert, RotateCcw } from 'lucide-react';
import type { ReactNode } from 'react';
import { asApiError, remedy } from '../lib/request.ts';
import { Button } from './controls.tsx';

/** Nothing is here yet: what would be, and the next step. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <section className="border-y border-line py-12">
      <div className="mx-auto flex max-w-xl flex-col items-start gap-3">
        <h2 className="text-title">{title}</h2>
        {children}
      </div>
    </section>
  );
}

/** What went wrong, its code and the remedy. */
export function ErrorState({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const { code, message } = asApiError(error);
  return (
    <section role="alert" className="border-y border-line py-12">
      <div className="mx-auto flex max-w-xl flex-col items-start gap-3">
        <h2 className="flex items-center gap-2 text-title">
          <CircleAlert aria-hidden className="size-5 text-danger" />
          {message}
        </h2>
        {remedy(code) && <p>{remedy(code)}</p>}
        <p className="font-mono text-small text-muted">{code}</p>
        {retry && (
          <Button onClick={retry}>
            <RotateCcw aria-hidden className="size-4" />
            Try again
          </Button>
        )}
      </div>
    </section>
  );
}

/** An error inside a form or beside a button. */
export function InlineError({ error }: { error: unknown }) {
  if (!error) return null;
  const { code, message } = asApiError(error);
  return (
    <p role="alert" className="text-danger">
      {message} <span className="text-muted">{remedy(code)}</span> <span className="font-mono text-small text-muted">{code}</span>
    </p>
  );
}

/** A grey stand-in of the size that the real thing will have. */
export function Skeleton({ className = '' }: { className?: string }) {
  return <div aria-hidden className={`animate-pulse rounded-sm bg-raised ${className}`} />;
}

/** Says to screen readers that the skeletons around it stand for something. */
export function Loading({ what, children }: { what: string; children: ReactNode }) {
  return (
    <div role="status" aria-busy="true" aria-label={`Loading ${what}`}>
      {children}
    </div>
  );
}

/** The command a person types next. */
export function Command({ children }: { children: string }) {
  return <code className="block max-w-full rounded-sm bg-raised px-3 py-2 font-mono text-small break-all">{children}</code>;
}
