/** From here on a number is written as 3.64e11: the loss of a training that exploded has up to 38 digits. */
const LONG = 1e6;

/** A number with fixed decimals, or an en dash for none; the minus is a real one. */
export function decimal(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const text = Math.abs(value) < LONG ? value.toFixed(digits) : value.toExponential(2).replace('e+', 'e');
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', '−');
}

/** `(0.31 to 0.53)`, or nothing when an end is unknown. */
export function interval(low: number | null | undefined, high: number | null | undefined, digits = 2): string {
  if (low === null || low === undefined || high === null || high === undefined) return '';
  return `(${decimal(low, digits)} to ${decimal(high, digits)})`;
}

/** Stands in place of an AUC's interval where the finding has under ten images of a class; the API's word. */
export const FEW_CASES = 'few cases';

/** The interval of an AUC, or why there is none. */
export function aucInterval({ low, high, reason }: { low: number | null; high: number | null; reason: string | null }): string {
  return reason === FEW_CASES ? `(${FEW_CASES})` : interval(low, high, 3);
}

/** A whole number with thin separators: 25 596. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

/** `1 image`, `2 images`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A time span: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** `2026-02-03 14:05` in the reader's own time zone: sorts as it reads. */
export function dateTime(iso: string): string {
  const at = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** The first characters of a hash or long id: enough to compare by eye. */
export function short(hash: string, length = 8): string {
  return hash.length > length ? hash.slice(0, length) : hash;
}

/** A JSON value on one line, strings bare. */
export function jsonText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return decimalText(value);
  return JSON.stringify(value) ?? '–';
}

/** Names in a sentence: `A`, `A and B`, `A, B and C`. */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Four significant digits, a real minus. */
function decimalText(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4))).replace('-', '−');
}
