import { CxrError, FINDINGS, type Finding, findingNamed, headerText, parseFinding, readTable, rowError, type Table } from '@cxr-lens/data';
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
  const listColumn = table.header.findIndex((name) => columnKey(name) === 'finding labels');
  const { known, findingsIn } = listColumn < 0 ? columnReader(table) : listReader(table, listColumn);
  const listed = imageRows(table, imageColumnOf(table));
  const places = placesOf(images, { file, names: listed.names, what: 'label' });
  return { listed, places, known, findings: places.map(({ at }) => findingsIn(listed.rows[at]!)) };
}

interface LabelReader {
  known: ReadonlySet<Finding>;
  findingsIn(row: number): ReadonlySet<Finding>;
}

/** The texts repeat, so each is parsed once. */
function listReader(table: Table, column: number): LabelReader {
  const parsed = new Map<string, ReadonlySet<Finding>>();
  const findingsIn = (row: number) => {
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
  };
  return { known: new Set(FINDINGS), findingsIn };
}

function parseLabels(text: string): Finding[] {
  if (text === '') throw new CxrError('BAD_INPUT', 'the "Finding Labels" are empty; expected findings joined by "|", or "No Finding".');
  return text
    .split('|')
    .filter((name) => columnKey(name) !== 'no finding')
    .map(parseFinding);
}

function columnReader(table: Table): LabelReader {
  const imageColumn = imageColumnOf(table);
  if (!table.header.some((name, column) => column !== imageColumn && findingNamed(name))) {
    const missing = 'the column "Finding Labels" is missing, and no column is a finding';
    throw new CxrError('BAD_INPUT', `${table.file} line 1: ${missing}; the header is "${headerText(table)}". Name the columns so.`);
  }
  const { columns } = findingColumns(table, imageColumn);
  checkCells(table);
  const findingsIn = (row: number) => {
    const present = [...columns].filter(([finding, column]) => isPresent(table, { row, column, finding }));
    return new Set(present.map(([finding]) => finding));
  };
  return { known: new Set(columns.keys()), findingsIn };
}

function isPresent(table: Table, { row, column, finding }: { row: number; column: number; finding: Finding }): boolean {
  const text = table.rows[row]![column]?.trim() ?? '';
  if (/^[01](\.0*)?$/.test(text)) return text.startsWith('1');
  throw rowError(table, row, `the label for ${finding} is "${text.slice(0, 40)}"; expected 0 or 1. Decide it, or leave the image out.`);
}
