import { CxrError } from '../error.ts';
import { type Finding, parseFinding } from '../findings.ts';
import { columnOf, isBlank, readTable, rowError, type Table } from './table.ts';

/** One line of Data_Entry: what NIH says of an image. */
export interface Entry {
  name: string;
  patientId: string;
  followUp: number;
  age: number | null;
  sex: 'F' | 'M' | null;
  view: 'PA' | 'AP';
  findings: Finding[];
}

/** Reads Data_Entry_2017.csv or Data_Entry_2017_v2020.csv, by the image's name. The `OriginalImage` columns are not read: method.md. */
export async function readEntries(file: string): Promise<Map<string, Entry>> {
  const table = await readTable(file);
  const column = {
    name: columnOf(table, 'Image Index'),
    findings: columnOf(table, 'Finding Labels'),
    followUp: columnOf(table, 'Follow-up #'),
    patientId: columnOf(table, 'Patient ID'),
    age: columnOf(table, 'Patient Age'),
    sex: columnOf(table, 'Patient Gender'),
    view: columnOf(table, 'View Position'),
  };
  const findings = findingsParser(table);
  const entries = new Map<string, Entry>();
  for (const [row, cells] of table.rows.entries()) {
    if (isBlank(cells)) continue;
    const cell = (key: keyof typeof column): string => cells[column[key]]?.trim() ?? '';
    const name = cell('name');
    if (!name) throw rowError(table, row, 'the image has no name. Take the file from NIH again.');
    if (entries.has(name)) throw rowError(table, row, `${name} is listed twice. Remove one of the two lines.`);
    const patientId = cell('patientId');
    if (!patientId) throw rowError(table, row, `${name} has no "Patient ID", and the splits are by patient.`);
    entries.set(name, {
      name,
      patientId,
      followUp: wholeNumber(cell('followUp')) ?? 0,
      age: years(cell('age')),
      sex: sexOf(cell('sex')),
      view: viewOf(table, row, cell('view')),
      findings: findings(row, cell('findings')),
    });
  }
  if (entries.size === 0) throw new CxrError('BAD_INPUT', `${file} lists no image. Take the file from NIH again.`);
  return entries;
}

/** The text of a "Finding Labels" cell to findings; the texts repeat, so each is parsed once. */
function findingsParser(table: Table): (row: number, text: string) => Finding[] {
  const known = new Map<string, Finding[]>();
  return (row, text) => {
    const before = known.get(text);
    if (before) return before;
    const names = text.split('|').filter((name) => name.trim().toLowerCase() !== 'no finding');
    try {
      const findings = names.map(parseFinding);
      known.set(text, findings);
      return findings;
    } catch (error) {
      throw rowError(table, row, `${(error as CxrError).message} Correct the "Finding Labels", or write "No Finding".`);
    }
  };
}

/** "58" (v2020), or "058Y", "011M", "003D" (2017) in whole years. */
function years(text: string): number | null {
  const [, digits, unit] = /^(\d+)([YMD]?)$/i.exec(text) ?? [];
  if (!digits) return null;
  if (unit?.toUpperCase() === 'M') return Math.floor(Number(digits) / 12);
  return unit?.toUpperCase() === 'D' ? 0 : Number(digits);
}

function wholeNumber(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) : null;
}

function sexOf(text: string): 'F' | 'M' | null {
  const letter = text.toUpperCase();
  return letter === 'F' || letter === 'M' ? letter : null;
}

function viewOf(table: Table, row: number, text: string): 'PA' | 'AP' {
  const view = text.toUpperCase();
  if (view === 'PA' || view === 'AP') return view;
  throw rowError(table, row, `the view position is "${text}"; expected PA or AP. Correct the line or remove it.`);
}
