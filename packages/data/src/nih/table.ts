import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { CxrError } from '../error.ts';

/** A CSV file in memory: `rows[i]` stands on line `lineOf(table, i)` of the file. */
export interface Table {
  file: string;
  separator: Separator;
  header: string[];
  rows: string[][];
}

/** How every ZIP archive begins. */
const ZIP = 'PK\x03\x04';

/** In the order that wins where a header holds as many of two. */
const SEPARATORS = [',', ';', '\t'] as const;
type Separator = (typeof SEPARATORS)[number];

/**
 * Reads a CSV file as text: UTF-8, or UTF-16 with its mark, as Excel writes; the cells apart by the comma, semicolon or tab that the header
 * holds most of. NOT_FOUND when it is absent; a file that is no CSV (an unclosed quote) is BAD_INPUT.
 */
export async function readTable(file: string): Promise<Table> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new CxrError('NOT_FOUND', `${file} does not exist. Check the path.`, { cause });
    throw new CxrError('UNAVAILABLE', `${file} cannot be read: ${cause.message}.`, { cause });
  });
  if (bytes.toString('latin1', 0, 4) === ZIP) {
    throw new CxrError('BAD_INPUT', `${file} is no CSV file but an archive, as .xlsx and .ods are. Save the table as CSV.`);
  }
  const text = textOf(bytes);
  const separator = separatorOf(text);
  try {
    const [header, ...rows] = plainRows(text, separator) ?? quotedRows(text, separator);
    if (!header) throw new CxrError('BAD_INPUT', `${file} is empty: expected a header line and one line an image. Download it again.`);
    return { file, separator, header: header.map((name) => name.trim()), rows };
  } catch (cause) {
    if (cause instanceof CxrError) throw cause;
    const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
    throw new CxrError('BAD_INPUT', `${file} is no CSV file: ${reason}. Correct it, or download it again.`, { cause });
  }
}

/** Without its byte order mark. */
function textOf(bytes: Buffer): string {
  const encoding = { fffe: 'utf-16le', feff: 'utf-16be' }[bytes.toString('hex', 0, 2)] ?? 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** Separators within quotes do not count. */
function separatorOf(text: string): Separator {
  const header = /^[^\r\n]*/.exec(text)![0].replaceAll(/"[^"]*"/g, '');
  const counts = SEPARATORS.map((separator) => header.split(separator).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))]!;
}

/** Without a quote a line break ends a row and a separator a cell: NIH's 112,120 rows in half the time. Null where that is not enough. */
function plainRows(text: string, separator: Separator): string[][] | null {
  if (text.includes('"') || /\r(?!\n)/.test(text)) return null;
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.split(separator));
}

/** Blanks around a quoted cell are left out, but not tabs, which may be empty cells. */
function quotedRows(text: string, delimiter: Separator): string[][] {
  return parse(text, { delimiter, relax_column_count: true, trim: delimiter !== '\t' });
}

/** The position of a column; BAD_INPUT names the file, the missing column, and what the header holds instead. */
export function columnOf(table: Table, name: string): number {
  const found = table.header.findIndex((header) => header.toLowerCase() === name.toLowerCase());
  if (found >= 0) return found;
  throw new CxrError(
    'BAD_INPUT',
    `${table.file} line 1: the column "${name}" is missing; the header is "${headerText(table)}". ` +
      'Expected the columns as NIH publishes them: take the file from NIH, or name the column so.',
  );
}

/** The header as it stands in the file, for messages. */
export function headerText({ header, separator }: Table): string {
  return header.join(separator).slice(0, 200);
}

/** The line of the file on which a row begins: line 2 for the first, as long as no quoted cell before it holds a line break. */
export function lineOf({ header, rows }: Table, row: number): number {
  const breaks = [header, ...rows.slice(0, row)].flat().reduce((total, cell) => total + cell.split('\n').length - 1, 0);
  return row + 2 + breaks;
}

/** The error for one row: file, line, what is wrong, and what to do. */
export function rowError(table: Table, row: number, message: string): CxrError {
  return new CxrError('BAD_INPUT', `${table.file} line ${lineOf(table, row)}: ${message}`);
}

/** The finite decimal number that a cell holds, "0.5", "-1e-3"; null for all else, also "", "0x10", "Infinity", "1e999" and "0,5". */
export function numberOf(text: string): number | null {
  const [, digits] = /^\s*[+-]?(\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.exec(text) ?? [];
  if (digits === undefined) return null;
  const value = Number(text);
  const underflow = value === 0 && /[1-9]/.test(digits);
  return Number.isFinite(value) && !underflow ? value : null;
}

/** Whether a row holds nothing, as the blank lines at the end of some mirrors' files. */
export function isBlank(row: readonly string[]): boolean {
  return row.every((cell) => cell.trim() === '');
}
