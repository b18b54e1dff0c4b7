import {
  CxrError,
  FINDINGS,
  type Finding,
  findingNamed,
  headerText,
  lineOf,
  numberOf,
  readTable,
  rowError,
  type Table,
} from '@cxr-lens/data';
import { checkCells, columnKey, type ImageRows, imageColumnOf, imageRows } from './images.ts';

/** Scores of anybody's model, one column a finding. */
export interface Scores {
  images: ImageRows;
  /** In the order of FINDINGS; only the findings that have a column. [N] each. */
  columns: { finding: Finding; scores: Float64Array }[];
  /** Columns of the file that are no finding; "" is pandas' index. "No Finding" is not counted. */
  ignored: string[];
}

/**
 * Reads the CSV of `metrics auc --scores`: a column of images, and one column a finding under any of its names; others are left out.
 * @throws CxrError BAD_INPUT for a file without a column of images or findings, a cell that is no number, an image listed twice
 */
export async function readScores(file: string): Promise<Scores> {
  const table = await readTable(file);
  const imageColumn = imageColumnOf(table);
  const { columns: findings, ignored } = findingColumns(table, imageColumn);
  checkCells(table);
  const images = imageRows(table, imageColumn);
  const { rows } = images;
  if (rows.length === 0) throw new CxrError('BAD_INPUT', `${file} has no row of scores: expected one line an image below the header.`);
  const number = numberReader(table, { rows, columns: [...findings.values()] });
  const columns = [...findings].map(([finding, column]) => ({ finding, scores: Float64Array.from(rows, (row) => number(row, column)) }));
  return { images, columns, ignored };
}

/**
 * The column of each finding, in the order of FINDINGS, and the names of all others.
 * @throws CxrError BAD_INPUT without a column of a finding, or with two for one
 */
export function findingColumns(table: Table, imageColumn: number): { columns: Map<Finding, number>; ignored: string[] } {
  const found = new Map<Finding, number>();
  const ignored: string[] = [];
  for (const [column, name] of table.header.entries()) {
    const finding = findingNamed(name);
    if (finding) {
      const other = found.get(finding);
      if (other !== undefined) {
        const names = `"${table.header[other]}" and "${name}"`;
        throw new CxrError('BAD_INPUT', `${table.file} line 1: two columns for ${finding}, ${names}. Remove one.`);
      }
      found.set(finding, column);
    } else if (column !== imageColumn && columnKey(name) !== 'no finding' && (name !== '' || column === 0)) ignored.push(name);
  }
  if (found.size === 0) {
    const header = `the header is "${headerText(table)}"`;
    throw new CxrError('BAD_INPUT', `${table.file} line 1: no column of a finding; ${header}; expected some of ${FINDINGS.join(', ')}.`);
  }
  return { columns: new Map(FINDINGS.flatMap((finding) => (found.has(finding) ? [[finding, found.get(finding)!]] : []))), ignored };
}

interface Cells {
  rows: readonly number[];
  columns: readonly number[];
}

/**
 * Reads cells as numbers. A decimal comma is understood where all numbers of the file have it and one of them can be nothing else:
 * "0,637" or "12,5", but not "1,234", which may be 1234.
 */
function numberReader(table: Table, cells: Cells): (row: number, column: number) => number {
  const textOf = (row: number, column: number) => table.rows[row]![column]?.trim() ?? '';
  const commas = decimalCommas(table, cells, textOf);
  return (row, column) => {
    const text = textOf(row, column);
    const value = numberOf(commas ? text.replace(',', '.') : text);
    if (value !== null) return value;
    const remedy = 'expected a finite decimal number. Correct it, or leave the image out.';
    throw rowError(table, row, `the score for ${table.header[column]} is "${text.slice(0, 40)}"; ${remedy}`);
  };
}

/** Whether the numbers have a decimal comma. CxrError BAD_INPUT where that cannot be known. */
function decimalCommas(table: Table, { rows, columns }: Cells, textOf: (row: number, column: number) => string): boolean {
  if (!rows.some((row) => columns.some((column) => textOf(row, column).includes(',')))) return false;
  const places = rows.flatMap((row) => columns.map((column) => ({ row, column, text: textOf(row, column) })));
  const comma = places.find(({ text }) => text.includes(','))!;
  const what = `the score for ${table.header[comma.column]} is "${comma.text.slice(0, 40)}"`;
  const point = places.find(({ text }) => text.includes('.'));
  if (point) {
    const other = `line ${lineOf(table, point.row)} has "${point.text.slice(0, 40)}"`;
    throw rowError(table, comma.row, `${what}, but ${other}. Write all numbers with a decimal point.`);
  }
  const decimal = /^[+-]?0*,\d|^[+-]?\d*,(?!\d{3}$)/;
  if (places.some(({ text }) => decimal.test(text))) return true;
  throw rowError(table, comma.row, `${what}, which may be a decimal or a thousands comma. Write all numbers with a decimal point.`);
}
