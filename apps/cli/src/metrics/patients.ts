import { existsSync } from 'node:fs';
import { CxrError, headerText, isBlank, lineOf, readTable, rowError, type Table } from '@cxr-lens/data';
import { baseName, columnKey, imageColumnOf, imageFinder } from './images.ts';

const PATIENT_COLUMNS = ['patient id', 'patient', 'patientid', 'subject id', 'subject'];

/**
 * The patient of an image as `--patients` says it: a column of `listFile` (the labels, or the boxes), or else a CSV file of its own with
 * a column of images and a column of patients.
 * @returns a function that throws CxrError BAD_INPUT for an image without a patient
 */
export async function patientReader(option: string, listFile: string): Promise<(image: string) => string> {
  const list = await readTable(listFile);
  const own = list.header.findIndex((name) => columnKey(name) === columnKey(option));
  if (own >= 0) return patientsOf(list, own);
  if (!existsSync(option)) {
    const header = `whose header is "${headerText(list)}"`;
    throw new CxrError('BAD_INPUT', `--patients "${option}" is neither a column of ${listFile}, ${header}, nor a file. Check the name.`);
  }
  const table = await readTable(option);
  return patientsOf(table, patientColumn(table));
}

/** The name of the column of patients that a list has, if any. */
export function patientColumnName({ header }: Table): string | undefined {
  return PATIENT_COLUMNS.map((key) => header.find((name) => columnKey(name) === key)).find((name) => name !== undefined);
}

function patientColumn(table: Table): number {
  const name = patientColumnName(table);
  if (name !== undefined) return table.header.indexOf(name);
  if (table.header.length === 2) return 1 - imageColumnOf(table);
  throw new CxrError('BAD_INPUT', `${table.file} line 1: no column "patient"; the header is "${headerText(table)}". Name the column so.`);
}

/** An image may stand in several lines, as in a list of boxes, if all name one patient. */
function patientsOf(table: Table, column: number): (image: string) => string {
  const imageColumn = imageColumnOf(table);
  const first = new Map<string, number>();
  const patientIn = (row: number) => table.rows[row]![column]?.trim() ?? '';
  for (const [row, cells] of table.rows.entries()) {
    if (isBlank(cells)) continue;
    const image = cells[imageColumn]?.trim() ?? '';
    if (image === '') throw rowError(table, row, 'the image has no name. Add it, or remove the line.');
    const before = first.get(image);
    if (before === undefined) first.set(image, row);
    else if (patientIn(before) !== patientIn(row)) {
      const both = `"${patientIn(row)}" here and "${patientIn(before)}" in line ${lineOf(table, before)}`;
      throw rowError(table, row, `the patient of ${image} is ${both}. Correct one of the two lines.`);
    }
  }
  const names = [...first.keys()];
  const find = imageFinder(table.file, names);
  return (image) => {
    const found = find(image);
    if (!found) throw new CxrError('BAD_INPUT', `${table.file} has no patient for ${image}. Add a line for it.`);
    const row = first.get(names[found.at]!)!;
    const patient = patientIn(row);
    if (patient === '') throw rowError(table, row, `${image} has no patient in the column "${table.header[column]}". Add the patient.`);
    return patient;
  };
}

/** NIH names an image `<patient>_<number>`; null for any other name. */
export function nihPatient(image: string): string | null {
  return /^(\d+)_\d+$/.exec(baseName(image))?.[1] ?? null;
}
