export interface Scale {
  (value: number): number;
  /** The value at a position, clamped to the domain. */
  invert(position: number): number;
  domain: readonly [number, number];
  range: readonly [number, number];
}

/** A straight-line scale from `domain` to `range` (pixels). */
export function linear(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [from, to] = domain;
  const [start, end] = range;
  const slope = to === from ? 0 : (end - start) / (to - from);
  const scale = (value: number): number => start + (value - from) * slope;
  const invert = (position: number): number => {
    const value = slope === 0 ? from : from + (position - start) / slope;
    return Math.min(Math.max(value, Math.min(from, to)), Math.max(from, to));
  };
  return Object.assign(scale, { invert, domain, range });
}

/** Round values inside the domain, about `count` of them, in steps of 1, 2 or 5 times a power of ten. */
export function ticks([from, to]: readonly [number, number], count: number): number[] {
  const step = tickStep(to - from, count);
  if (step === 0) return [from];
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** Round values, evenly spaced, about `count` of them, that hold all given ones between the first and the last; nulls are passed over. */
export function niceTicks(values: readonly (number | null | undefined)[], count = 4): number[] {
  const known = values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  if (known.length === 0) return [0, 1];
  const low = Math.min(...known);
  const high = Math.max(...known);
  const step = tickStep(high - low || Math.abs(high) || 1, count);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

function tickStep(span: number, count: number): number {
  if (!(span > 0)) return 0;
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  return (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10) * power;
}
