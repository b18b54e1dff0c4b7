import { CxrError, FINDINGS, type Finding, parseFinding, readTable, rowError, type Table } from '@cxr-lens/data';
import { checkCells, columnKey, type Found, type ImageRows, imageColumnOf, imageRows, placesOf } from './images.ts';
import { findingColumns } from './scores.ts';

/** What a labels file says of the images that have scores. */
export interface Labels {
  /** Every image of the file. */
  listed: ImageRows;
  /** [N]: where each image with scores stands in `listed`. */
  places: Found[];
  /** The findings that the file can label: all 14, or those that have a column. */
  known: ReadonlySet<Finding>;
  /** [N] */
  findings: ReadonlySet<Finding>[];
}

/**
 * The findings of each image: from NIH's label list, `Finding Labels` with "|", or from one column a finding that holds 0 or 1.
 * @throws CxrError BAD_INPUT naming the first image without a label, a label that names no finding, a cell that is neither 0 nor 1, an
 * image listed twice
 */
export async function readLabels(file: string, images: ImageRows): Promise<Labels> {
  const table = await readTable(file);
  const listed = imageRows(table, imageColumnOf(table));
  const places = placesOf(images, { file, names: listed.names, what: 'label' });
  const rows = places.map(({ at }) => listed.rows[at]!);
  const listColumn = table.header.findIndex((name) => columnKey(name) === 'finding labels');
  return { listed, places, ...(listColumn < 0 ? fromColumns(table, rows) : fromLists(table, { rows, column: listColumn })) };
}

type Told = Pick<Labels, 'known' | 'findings'>;

function fromLists(table: Table, { rows, column }: { rows: readonly number[]; column: number }): Told {
  const parsed = new Map<string, ReadonlySet<Finding>>();
  const findings = rows.map((row) => {
    const text = table.rows[row]![column]?.trim() ?? '';
    const before = parsed.get(text);
    if (before) return before;
    try {
      const own = new Set(parseLabels(text));
      parsed.set(text, own);
      return own;
    } catch (error) {
      throw rowError(table, row, (error as CxrError).message);
    }
  });
  return { known: new Set(FINDINGS), findings };
}

function parseLabels(text: string): Finding[] {
  if (text === '') throw new CxrError('BAD_INPUT', 'the "Finding Labels" are empty; expected findings joined by "|", or "No Finding".');
  return text
    .split('|')
    .filter((name) => columnKey(name) !== 'no finding')
    .map(parseFinding);
}

function fromColumns(table: Table, rows: readonly number[]): Told {
  const { columns } = labelColumns(table);
  checkCells(table);
  const findings = rows.map((row) => {
    const present = [...columns].filter(([finding, column]) => isPresent(table, { row, column, finding }));
    return new Set(present.map(([finding]) => finding));
  });
  return { known: new Set(columns.keys()), findings };
}

function labelColumns(table: Table): ReturnType<typeof findingColumns> {
  try {
    return findingColumns(table, imageColumnOf(table));
  } catch (error) {
    const message = (error as CxrError).message.replace(
      'no column of a finding',
      'the column "Finding Labels" is missing, and no column is a finding',
    );
    throw new CxrError('BAD_INPUT', message, { cause: error });
  }
}

function isPresent(table: Table, { row, column, finding }: { row: number; column: number; finding: Finding }): boolean {
  const text = table.rows[row]![column]?.trim() ?? '';
  if (/^[01](\.0*)?$/.test(text)) return text.startsWith('1');
  throw rowError(table, row, `the label for ${finding} is "${text.slice(0, 40)}"; expected 0 or 1. Decide it, or leave the image out.`);
}
