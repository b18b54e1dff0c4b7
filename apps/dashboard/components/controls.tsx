import type { ButtonHTMLAttributes, InputHTMLAttributes, ReactNode, SelectHTMLAttributes, TextareaHTMLAttributes } from 'react';

type Look = 'plain' | 'primary' | 'quiet' | 'danger';

const LOOKS: Record<Look, string> = {
  plain: 'border border-line bg-paper hover:border-edge',
  primary: 'bg-accent text-accent-ink hover:opacity-90',
  quiet: 'text-muted hover:bg-raised hover:text-ink',
  danger: 'border border-line text-danger hover:border-danger',
};

/** The classes of a button, for links and menu triggers that look like one. */
export function buttonClass(look: Look = 'plain'): string {
  return `inline-flex h-8 shrink-0 items-center justify-center gap-2 rounded-sm px-3 whitespace-nowrap disabled:opacity-50 ${LOOKS[look]}`;
}

export function Button({ look = 'plain', className = '', ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look }) {
  return <button type="button" className={`${buttonClass(look)} ${className}`} {...rest} />;
}

/** A square button that shows only an icon; `label` is what it says to a screen reader and on hover. */
export function IconButton({
  label,
  className = '',
  ...rest
}: Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label' | 'title'> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-flex size-8 shrink-0 items-center justify-center rounded-sm text-muted hover:bg-raised hover:text-ink disabled:opacity-40 aria-pressed:bg-raised aria-pressed:text-ink ${className}`}
      {...rest}
    />
  );
}

const FIELD = 'h-8 min-w-0 rounded-sm border border-line bg-paper px-2 text-ink hover:border-edge disabled:opacity-50';

/** A labelled field of a form: the label above, a hint below. */
export function Field({ label, hint, children }: { label: string; hint?: string | undefined; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className="flex min-w-0 flex-col gap-1">
      <span className="text-small text-muted">{label}</span>
      {children}
      {hint && <span className="text-small text-muted">{hint}</span>}
    </label>
  );
}

export function TextInput({ className = '', ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  return <input className={`${FIELD} ${className}`} {...rest} />;
}

export function TextArea({ className = '', ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return <textarea className={`rounded-sm border border-line bg-paper p-2 hover:border-edge ${className}`} {...rest} />;
}

export function Select({ className = '', ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return <select className={`${FIELD} ${className}`} {...rest} />;
}

/** One of a few, all in sight: a radio group that looks like a segmented switch. */
export function Segments<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onChange: (value: Value) => void;
}) {
  return (
    <div role="radiogroup" aria-label={label} className="inline-flex h-8 shrink-0 rounded-sm border border-line">
      {options.map((option) => (
        <label
          key={option.value}
          className="flex items-center px-3 text-muted first:rounded-l-sm last:rounded-r-sm not-last:border-r not-last:border-line hover:text-ink has-checked:bg-raised has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            className="sr-only"
            name={label}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}

/** A labelled slider; `show` says the value in words. */
export function Slider({
  label,
  value,
  min,
  max,
  step,
  show,
  onChange,
}: {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  show: string;
  onChange: (value: number) => void;
}) {
  return (
    <label className="flex min-w-0 items-center gap-2">
      <span className="text-muted">{label}</span>
      <input
        type="range"
        className="h-8 w-28 min-w-16"
        {...{ value, min, max, step }}
        aria-valuetext={show}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <span className="min-w-10">{show}</span>
    </label>
  );
}
