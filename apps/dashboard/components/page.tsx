import type { ReactNode } from 'react';

/** A page: its heading with actions beside it, and the content below. */
export function Page({ title, aside, children }: { title: ReactNode; aside?: ReactNode; children: ReactNode }) {
  return (
    <main id="content" className="mx-auto w-full max-w-[2400px] px-4 pt-4 pb-16 md:px-6">
      <div className="flex min-h-10 flex-wrap items-center justify-between gap-x-6 gap-y-2 pb-4">
        <h1 className="flex min-w-0 items-center gap-3 text-title">{title}</h1>
        {aside && <div className="flex flex-wrap items-center gap-2">{aside}</div>}
      </div>
      {children}
    </main>
  );
}

/** A part of a page under a hairline. */
export function Section({ title, note, aside, children }: { title: string; note?: ReactNode; aside?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="border-t border-line pt-3 pb-8">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2 pb-3">
        <div className="min-w-0 flex-[1_1_16rem]">
          <h2 className="font-semibold">{title}</h2>
          {note && <div className="text-small text-muted">{note}</div>}
        </div>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Facts in a row: the name small above, the value below. */
export function Facts({ items }: { items: readonly { name: string; value: ReactNode }[] }) {
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-3">
      {items.map(({ name, value }) => (
        <div key={name} className="min-w-0">
          <dt className="text-small text-muted">{name}</dt>
          <dd className="flex min-h-5 flex-wrap items-center gap-2">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
