import { CxrError, FINDINGS, type Finding, parseFinding, readTable, rowError, type Table } from '@cxr-lens/data';

/** Scores of anybody's model, one column a finding. */
export interface Scores {
  images: string[];
  /** In the order of FINDINGS; only the findings that have a column. [N] each. */
  columns: { finding: Finding; scores: Float64Array }[];
}

/**
 * Reads the CSV of `metrics auc --scores`: `Image Index` or `image`, and one column a finding under any of its names.
 * A column "No Finding" is no finding and is left out.
 * @throws CxrError BAD_INPUT for a column that names no finding, a cell that is no number, an image listed twice
 */
export async function readScores(file: string): Promise<Scores> {
  const table = await readTable(file);
  const imageColumn = imageColumnOf(table);
  const findings = findingColumns(table, imageColumn);
  const rows = [...table.rows.keys()].filter((row) => table.rows[row]!.some((cell) => cell.trim() !== ''));
  if (rows.length === 0) throw new CxrError('BAD_INPUT', `${file} has no row of scores: expected one line an image below the header.`);
  const images = namesOf(table, rows, imageColumn);
  const columns = FINDINGS.flatMap((finding) => {
    const column = findings.get(finding);
    return column === undefined ? [] : [{ finding, scores: numbersOf(table, rows, column) }];
  });
  return { images, columns };
}

function imageColumnOf(table: Table): number {
  const names = table.header.map((name) => name.toLowerCase());
  const found = names.includes('image index') ? names.indexOf('image index') : names.indexOf('image');
  if (found >= 0) return found;
  throw new CxrError(
    'BAD_INPUT',
    `${table.file} line 1: there is neither a column "Image Index" nor "image"; the header is "${table.header.join(',').slice(0, 200)}".`,
  );
}

function findingColumns(table: Table, imageColumn: number): Map<Finding, number> {
  const columns = new Map<Finding, number>();
  for (const [column, name] of table.header.entries()) {
    if (column === imageColumn || /^no[ _]finding$/i.test(name)) continue;
    const finding = findingOf(table, name);
    if (columns.has(finding)) throw new CxrError('BAD_INPUT', `${table.file} line 1: two columns for ${finding}. Remove one.`);
    columns.set(finding, column);
  }
  if (columns.size === 0)
    throw new CxrError('BAD_INPUT', `${table.file} line 1: no column of a finding; expected some of ${FINDINGS.join(', ')}.`);
  return columns;
}

function findingOf(table: Table, name: string): Finding {
  try {
    return parseFinding(name);
  } catch (error) {
    throw new CxrError('BAD_INPUT', `${table.file} line 1: ${(error as CxrError).message} Rename or remove the column.`, { cause: error });
  }
}

function namesOf(table: Table, rows: readonly number[], column: number): string[] {
  const seen = new Set<string>();
  return rows.map((row) => {
    const name = table.rows[row]![column]?.trim() ?? '';
    if (name === '') throw rowError(table, row, 'the image has no name.');
    if (seen.has(name)) throw rowError(table, row, `${name} is listed twice. Remove one of the two lines.`);
    seen.add(name);
    return name;
  });
}

function numbersOf(table: Table, rows: readonly number[], column: number): Float64Array {
  return Float64Array.from(rows, (row) => {
    const text = table.rows[row]![column]?.trim() ?? '';
    const value = text === '' ? Number.NaN : Number(text);
    if (!Number.isNaN(value)) return value;
    throw rowError(table, row, `the score for ${table.header[column]} is "${text.slice(0, 40)}"; expected a number.`);
  });
}
