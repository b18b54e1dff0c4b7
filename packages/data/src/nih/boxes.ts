import { NIH_SIZE } from '../box.ts';
import { CxrError } from '../error.ts';
import { BOXED_FINDINGS, type BoxedFinding, findingNamed, isBoxedFinding } from '../findings.ts';
import type { KnownBox } from './nih.ts';
import { columnOf, headerText, isBlank, numberOf, readTable, rowError, type Table } from './table.ts';

/** Reads BBox_List_2017.csv in either of its headers: the boxes of each image, in pixels of the 1024 x 1024 files. */
export async function readBoxes(file: string): Promise<Map<string, KnownBox[]>> {
  const table = await readTable(file);
  const nameColumn = columnOf(table, 'Image Index');
  const findingColumn = columnOf(table, 'Finding Label');
  const first = coordinatesColumn(table);
  const boxes = new Map<string, KnownBox[]>();
  for (const [row, cells] of table.rows.entries()) {
    if (isBlank(cells)) continue;
    const name = cells[nameColumn]?.trim() ?? '';
    if (!name) throw rowError(table, row, 'the box has no image. Add its name, or remove the line.');
    const finding = boxedFinding(table, row, cells[findingColumn] ?? '');
    const known = boxes.get(name) ?? [];
    if (known.some((other) => other.finding === finding)) {
      throw rowError(table, row, `${name} has a second box for ${finding}; expected one at most. Remove one of the two lines.`);
    }
    known.push({ finding, box: boxOf(table, row, name, cells.slice(first, first + 4)) });
    boxes.set(name, known);
  }
  return boxes;
}

/** NIH writes `Bbox [x,y,w,h],,,` without quotes, which is four cells, or one where `;` separates cells; mirrors write `Bbox x,Bbox y,Bbox w,Bbox h`. */
function coordinatesColumn(table: Table): number {
  const letters = table.header.map((name) => name.toLowerCase().replaceAll(/bbox|[[\]\s,]/g, ''));
  const first = letters.findIndex((_, index) => letters.slice(index, index + 4).join('') === 'xywh');
  if (first >= 0) return first;
  throw new CxrError(
    'BAD_INPUT',
    `${table.file} line 1: the columns of the box are missing; the header is "${headerText(table)}". ` +
      'Expected "Bbox [x,y,w,h]" or "Bbox x,Bbox y,Bbox w,Bbox h".',
  );
}

function boxedFinding(table: Table, row: number, text: string): BoxedFinding {
  const finding = findingNamed(text);
  if (finding && isBoxedFinding(finding)) return finding;
  throw rowError(table, row, `a box for "${text.slice(0, 60)}"; expected one of ${BOXED_FINDINGS.join(', ')}. Correct the finding.`);
}

function boxOf(table: Table, row: number, name: string, cells: readonly string[]): KnownBox['box'] {
  const numbers = [0, 1, 2, 3].map((index) => numberOf(cells[index] ?? ''));
  if (numbers.includes(null)) {
    throw rowError(
      table,
      row,
      `the box of ${name} is "${cells.join(table.separator).slice(0, 100)}"; expected four numbers x, y, w, h, with a decimal point.`,
    );
  }
  const [x, y, width, height] = numbers as [number, number, number, number];
  if (width <= 0 || height <= 0) {
    const sides = [...(width <= 0 ? [`width ${width}`] : []), ...(height <= 0 ? [`height ${height}`] : [])].join(' and ');
    throw rowError(
      table,
      row,
      `the box of ${name} (x ${x}, y ${y}, w ${width}, h ${height}) has ${sides}; expected more than 0. Correct the box, or remove the line.`,
    );
  }
  if (x < 0 || y < 0 || x + width > NIH_SIZE || y + height > NIH_SIZE) {
    throw rowError(
      table,
      row,
      `the box of ${name} (x ${x}, y ${y}, w ${width}, h ${height}) lies outside its image. Expected pixels of the published ` +
        `${NIH_SIZE} x ${NIH_SIZE} files, also where the images here are resized: scale the box, or remove the line.`,
    );
  }
  return { x, y, width, height };
}
