import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { CxrError } from '../error.ts';

/** A CSV file in memory: `rows[i]` stands on line i + 2 of the file. */
export interface Table {
  file: string;
  header: string[];
  rows: string[][];
}

/** Reads a CSV file as text. NOT_FOUND when it is absent; a file that is no CSV (an unclosed quote) is BAD_INPUT. */
export async function readTable(file: string): Promise<Table> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new CxrError('NOT_FOUND', `${file} does not exist. Check the path.`, { cause });
    throw new CxrError('UNAVAILABLE', `${file} cannot be read: ${cause.message}.`, { cause });
  });
  try {
    const [header, ...rows] = plainRows(text) ?? (parse(text, { bom: true, relax_column_count: true }) as string[][]);
    if (!header) throw new CxrError('BAD_INPUT', `${file} is empty: expected a header line and one line an image. Download it again.`);
    return { file, header: header.map((name) => name.trim()), rows };
  } catch (cause) {
    if (cause instanceof CxrError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CxrError('BAD_INPUT', `${file} is no CSV file: ${reason}. Download it again.`, { cause });
  }
}

/** Without a quote a line break ends a row and a comma a cell: NIH's 112,120 rows in half the time. Null where that is not enough. */
function plainRows(text: string): string[][] | null {
  if (text.includes('"') || /\r(?!\n)/.test(text)) return null;
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.split(','));
}

/** The position of a column; BAD_INPUT names the file, the missing column, and what the header holds instead. */
export function columnOf(table: Table, name: string): number {
  const found = table.header.findIndex((header) => header.toLowerCase() === name.toLowerCase());
  if (found >= 0) return found;
  throw new CxrError(
    'BAD_INPUT',
    `${table.file} line 1: the column "${name}" is missing; the header is "${table.header.join(',').slice(0, 200)}". ` +
      'Expected the columns as NIH publishes them: take the file from NIH, or name the column so.',
  );
}

/** The error for one row: file, line, what is wrong, and what to do. */
export function rowError(table: Table, row: number, message: string): CxrError {
  return new CxrError('BAD_INPUT', `${table.file} line ${row + 2}: ${message}`);
}

/** Whether a row holds nothing, as the blank lines at the end of some mirrors' files. */
export function isBlank(row: readonly string[]): boolean {
  return row.every((cell) => cell.trim() === '');
}
