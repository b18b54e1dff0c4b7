import { stat } from 'node:fs/promises';
import path from 'node:path';
import { listFolder } from './files.ts';

const IMAGE = /\.(png|jpe?g)$/i;
const DEPTH = 3;
// If several files stand for one listed image, a lossless one is read.
const EXTENSIONS = ['.png', '.jpg', '.jpeg'];

/** The images that are here, path by listed name. */
export interface FoundImages {
  files: Map<string, string>;
  /** Images whose listed file is absent and that were read from a file of another extension. */
  otherExtension: { count: number; example: { listed: string; file: string } | null };
  warnings: string[];
}

/** A listed image in one collection: its file, whether that has the very name that is listed, and the files of the same standing. */
interface Found {
  file: string;
  exact: boolean;
  others: string[];
}

type Collection = Map<string, Found>;

/**
 * The images below a folder. The file of the listed name wins over one of another extension beside it. Where several collections hold
 * the same images one is chosen, that with the most listed names first, and the warning says so.
 */
export async function findImages(folder: string, listed: ReadonlyMap<string, unknown>, images: string | undefined): Promise<FoundImages> {
  const root = images === undefined ? folder : path.resolve(folder, images);
  const byStem = listedByStem(listed);
  const collections = new Map<string, Collection>();
  for await (const file of walk(root, DEPTH)) {
    const base = path.basename(file);
    const exact = listed.has(base);
    const name = exact ? base : byStem.get(stemOf(base));
    if (name === undefined || name === null) continue;
    const key = images === undefined ? collectionOf(path.relative(root, path.dirname(file))) : '.';
    const collection = collections.get(key) ?? new Map<string, Found>();
    collection.set(name, better(collection.get(name), { file, exact, others: [] }));
    collections.set(key, collection);
  }
  return chosenImages(collections, root);
}

const stemOf = (name: string): string => name.replace(IMAGE, '');

/** The one listed name of each stem; null where `x.png` and `x.jpg` are both listed: another file may be either. */
function listedByStem(listed: ReadonlyMap<string, unknown>): Map<string, string | null> {
  const byStem = new Map<string, string | null>();
  for (const name of listed.keys()) byStem.set(stemOf(name), byStem.has(stemOf(name)) ? null : name);
  return byStem;
}

/** The better of two files for a listed image: the one of the listed name, else by extension, else the first one found. */
function better(known: Found | undefined, found: Found): Found {
  if (!known) return found;
  if (known.exact !== found.exact) return known.exact ? known : found;
  const rank = ({ file }: Found): number => EXTENSIONS.indexOf(path.extname(file).toLowerCase());
  const [first, second] = rank(found) < rank(known) ? [found, known] : [known, found];
  return { ...first, others: [...known.others, second.file] };
}

/** NIH's twelve archives `images_001/images` ... are one collection with `images`; `images-256` is another. */
function collectionOf(relative: string): string {
  return (
    relative
      .split(path.sep)
      .map((part) => part.replace(/_\d+$/, ''))
      .filter((part, index, parts) => part !== parts[index - 1])
      .join('/') || '.'
  );
}

/** The collection with the most files of the listed names, then the largest, then by name; and every other one that holds none of the images taken so far. Two sources of one image never mix. */
function chosenImages(collections: Map<string, Collection>, root: string): FoundImages {
  const listedNames = (own: Collection): number => [...own.values()].filter(({ exact }) => exact).length;
  const ordered = [...collections].sort(
    ([nameA, a], [nameB, b]) => listedNames(b) - listedNames(a) || b.size - a.size || (nameA < nameB ? -1 : 1),
  );
  const taken = new Map<string, Found>();
  const usedFrom = new Map<string, string>();
  const dropped: { name: string; own: Collection; shared: string[] }[] = [];
  for (const [name, own] of ordered) {
    const shared = [...own.keys()].filter((image) => taken.has(image));
    if (shared.length > 0) {
      dropped.push({ name, own, shared });
      continue;
    }
    for (const [image, found] of own) {
      taken.set(image, found);
      usedFrom.set(image, name);
    }
  }
  const warnings = dropped.map(({ name, own, shared }) => {
    const others = [...new Set(shared.map((image) => usedFrom.get(image)!))].map(
      (other) => `${other} (${collections.get(other)!.size} images)`,
    );
    const lost = [...own.keys()].filter((image) => !taken.has(image)).length;
    const consequence = lost > 0 ? `${lost} images that are only in ${name} are left out` : 'no image is lost';
    return `${shared.length} images are both in ${others.join(', ')}, used, and in ${name} (${own.size}), not used; ${consequence}. "--images ${name}" uses that folder instead.`;
  });
  return {
    files: new Map([...taken].map(([name, { file }]) => [name, file])),
    otherExtension: otherExtensions(taken),
    warnings: [...warnings, ...ambiguous(taken, root)],
  };
}

function otherExtensions(taken: Collection): FoundImages['otherExtension'] {
  const other = [...taken].filter(([, { exact }]) => !exact);
  const [first] = other;
  return { count: other.length, example: first ? { listed: first[0], file: path.basename(first[1].file) } : null };
}

/** Nothing says which of two files is the image where both have the listed name, or neither has. */
function ambiguous(taken: Collection, root: string): string[] {
  const several = [...taken.values()].filter(({ others }) => others.length > 0);
  const [first] = several;
  if (!first) return [];
  const [used, ...unused] = [first.file, ...first.others].map((file) => path.relative(root, file));
  return [
    `${several.length} listed images have several files: ${used} is read, not ${unused.join(', ')}. Remove the files that are not meant.`,
  ];
}

async function* walk(folder: string, depth: number): AsyncGenerator<string> {
  const entries = (await listFolder(folder)).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const full = path.join(folder, entry.name);
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && ((await stat(full).catch(() => null))?.isDirectory() ?? false));
    if (isFolder) {
      if (depth > 0 && entry.name !== 'truth' && !entry.name.startsWith('.')) yield* walk(full, depth - 1);
    } else if (IMAGE.test(entry.name)) yield full;
  }
}
