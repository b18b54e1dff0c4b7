import { fixed, fixedInterval } from '../words.ts';

/** A Markdown table; "|" in a cell is escaped. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** "0.412 (0.380 to 0.450)"; empty where there is no value. */
export function withInterval(value: number | null, interval: [number, number] | null, digits: number): string {
  return value === null || !interval ? number(value, digits) : fixedInterval(value, interval, digits);
}

/** Of several runs: "0.412 [0.380, 0.450]", mean, lowest and highest; empty without a value. */
export function withRange(values: readonly (number | null)[], digits: number): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '';
  const mean = known.reduce((total, value) => total + value, 0) / known.length;
  return `${fixed(mean, digits)} [${fixed(Math.min(...known), digits)}, ${fixed(Math.max(...known), digits)}]`;
}

export function number(value: number | null, digits: number): string {
  return value === null ? '' : fixed(value, digits);
}
