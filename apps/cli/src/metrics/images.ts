import { CxrError, headerText, isBlank, lineOf, rowError, type Table } from '@cxr-lens/data';

/** The rows of a table that name an image. */
export interface ImageRows {
  table: Table;
  /** Positions in `table.rows`; blank lines are left out. */
  rows: number[];
  /** The image of each of `rows`, as the file writes it. */
  names: string[];
}

/** Names of a column of images, in the order that wins where a table has several. */
const IMAGE_COLUMNS = ['image index', 'image', 'image id', 'image name', 'image path', 'filename', 'file name', 'file', 'path'];

/** What is cut off an image's name. A fixed list, so that the dots of a DICOM identifier stay. */
const EXTENSION = /\.(png|jpe?g|dcm|dicom|tiff?|bmp|webp|npy|npz)$/i;

/** A column's name without regard to case, underscores and hyphens. */
export function columnKey(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, ' ');
}

/**
 * The column of the images: "Image Index" (NIH), "image", "path" and the like; else a first column without a name, which is how pandas
 * writes an index of images.
 * @throws CxrError BAD_INPUT without one, or with two of one name
 */
export function imageColumnOf(table: Table): number {
  const keys = table.header.map(columnKey);
  const name = IMAGE_COLUMNS.find((candidate) => keys.includes(candidate));
  if (name === undefined) {
    if (keys[0] === '' && keys.length > 1) return 0;
    throw new CxrError(
      'BAD_INPUT',
      `${table.file} line 1: there is neither a column "Image Index" nor "image"; the header is "${headerText(table)}". Name the column so.`,
    );
  }
  if (keys.indexOf(name) !== keys.lastIndexOf(name)) {
    throw new CxrError('BAD_INPUT', `${table.file} line 1: two columns "${table.header[keys.indexOf(name)]}". Remove one.`);
  }
  return keys.indexOf(name);
}

/** @throws CxrError BAD_INPUT for an image without a name, or listed twice */
export function imageRows(table: Table, column: number): ImageRows {
  const lines = new Map<string, number>();
  const rows = [...table.rows.keys()].filter((row) => !isBlank(table.rows[row]!));
  const names = rows.map((row) => {
    const name = table.rows[row]![column]?.trim() ?? '';
    if (name === '') throw rowError(table, row, 'the image has no name. Add it, or remove the line.');
    const before = lines.get(name);
    if (before !== undefined)
      throw rowError(table, row, `${name} is listed twice, first in line ${lineOf(table, before)}. Remove one of the two lines.`);
    lines.set(name, row);
    return name;
  });
  return { table, rows, names };
}

/**
 * A row with more cells than the header has shifted them: an unquoted decimal comma makes two scores of one. Nor may a column without
 * a name hold anything, unless it is the first, where pandas writes its index.
 * @throws CxrError BAD_INPUT naming the first such row
 */
export function checkCells(table: Table): void {
  for (const [row, cells] of table.rows.entries()) {
    const at = cells.findIndex((cell, column) => column > 0 && cell.trim() !== '' && !table.header[column]);
    if (at < 0) continue;
    const cell = cells[at]!.trim().slice(0, 40);
    const commas =
      table.separator === ',' ? ' Numbers with a decimal comma need another separator: write 0.5, or separate cells by ";".' : '';
    throw rowError(
      table,
      row,
      `cell ${at + 1} is "${cell}", and the header names no column ${at + 1}. Name it, or remove the cell.${commas}`,
    );
  }
}

/** `/data/images_001/00000001_000.png` and `00000001_000` are both `00000001_000`. */
export function baseName(image: string): string {
  return image.replace(/^.*[/\\]/s, '').replace(EXTENSION, '');
}

/** Where an image stands in a list; `exact` says whether under the very same name. */
export interface Found {
  at: number;
  exact: boolean;
}

/**
 * Finds images in a list by their name as written, else by their base name.
 * @returns undefined for an image that is not listed
 * @throws CxrError BAD_INPUT, from the returned function, where two images of the list have the base name that is looked for
 */
export function imageFinder(file: string, names: readonly string[]): (image: string) => Found | undefined {
  const exact = new Map(names.map((name, at) => [name, at]));
  let byBase: Map<string, number[]> | null = null; // most lists never need it
  return (image) => {
    const same = exact.get(image);
    if (same !== undefined) return { at: same, exact: true };
    byBase ??= Map.groupBy(names.keys(), (at) => baseName(names[at]!));
    const [at, second] = byBase.get(baseName(image)) ?? [];
    if (at === undefined) return undefined;
    if (second === undefined) return { at, exact: false };
    throw new CxrError(
      'BAD_INPUT',
      `${image} is ambiguous: ${file} lists both ${names[at]} and ${names[second]}. Write the image as that file does.`,
    );
  };
}

/**
 * The place of each image of `images` in `names` of `file`; every image must have one of its own. `what` is what the file is to hold of it.
 * @throws CxrError BAD_INPUT naming the first image that is not there, or that shares its place with another
 */
export function placesOf(images: ImageRows, { file, names, what }: { file: string; names: readonly string[]; what: string }): Found[] {
  const find = imageFinder(file, names);
  const taken = new Map<number, number>();
  return images.names.map((image, index) => {
    const found = find(image);
    const row = images.rows[index]!;
    if (!found) throw rowError(images.table, row, `${file} has no ${what} for ${image}. Add it there, or remove this line.`);
    const other = taken.get(found.at);
    if (other !== undefined) {
      const twice = `${image} and ${images.names[other]} (line ${lineOf(images.table, images.rows[other]!)}) are both ${names[found.at]} of ${file}`;
      throw rowError(images.table, row, `${twice}, so one is listed twice. Remove one of the two lines.`);
    }
    taken.set(found.at, index);
    return found;
  });
}
