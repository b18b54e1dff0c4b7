import { decimal } from '../lib/format.ts';

export type Cell = string | number | null;

/** A chart as a table: shown instead of it, and saved as CSV. */
export interface Sheet {
  /** File name without extension. */
  name: string;
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
}

/** RFC 4180; numbers in full precision, nothing for null. A leading formula sign of a text is quoted away. */
export function toCsv({ columns, rows }: Sheet): string {
  return [columns, ...rows]
    .map((row) => row.map(field).join(','))
    .join('\r\n')
    .concat('\r\n');
}

function field(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A cell for reading: whole numbers as they are, others with three decimals. */
export function cellText(cell: Cell): string {
  if (typeof cell === 'number') return Number.isInteger(cell) ? String(cell) : decimal(cell, 3);
  return cell ?? '–';
}
