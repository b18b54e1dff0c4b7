import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CxrError } from '../error.ts';

/** The official files of a folder in NIH format; the box list may be absent. */
export interface OfficialFiles {
  entries: string;
  trainVal: string;
  test: string;
  boxes: string | null;
  /** What a phantom says of itself; null: real images. */
  phantom: PhantomMarker | null;
}

/** What the reader needs of `truth/phantom.json`, which only a phantom has. */
const phantomMarkerSchema = z.object({
  synthetic: z.literal(true),
  splitSeed: z.number().optional(),
  shortcuts: z.object({ train: z.number(), validation: z.number() }).optional(),
});

export type PhantomMarker = z.infer<typeof phantomMarkerSchema>;

/** Finds tables and lists by their names (mirrors append words to them); NOT_FOUND says which is missing and where to get it. */
export async function findOfficialFiles(folder: string): Promise<OfficialFiles> {
  const names = (await listFolder(folder)).map((entry) => entry.name).sort();
  const find = (pattern: RegExp): string | null => {
    // The last one in order: Data_Entry_2017_v2020.csv holds NIH's corrections of Data_Entry_2017.csv.
    const name = names.filter((candidate) => pattern.test(candidate)).at(-1);
    return name ? path.join(folder, name) : null;
  };
  const need = (pattern: RegExp, name: string): string => {
    const found = find(pattern);
    if (found) return found;
    throw new CxrError(
      'NOT_FOUND',
      `${folder} holds no ${name}. Expected a folder in NIH ChestX-ray14's format: Data_Entry_2017_v2020.csv, train_val_list.txt, ` +
        'test_list.txt, BBox_List_2017.csv and images below. The lists and tables are on NIH\'s download page; "cxr-lens phantom" writes a synthetic one.',
    );
  };
  return {
    entries: need(/^Data_Entry.*\.csv$/i, 'Data_Entry_2017_v2020.csv or Data_Entry_2017.csv'),
    trainVal: need(/^train_val_list.*\.txt$/i, 'train_val_list.txt'),
    test: need(/^test_list.*\.txt$/i, 'test_list.txt'),
    boxes: find(/^BBox_List.*\.csv$/i),
    phantom: await readMarker(path.join(folder, 'truth/phantom.json')),
  };
}

/** A damaged marker is refused: synthetic images must not pass for real ones. */
async function readMarker(file: string): Promise<PhantomMarker | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new CxrError('UNAVAILABLE', `${file} cannot be read: ${error.message}.`, { cause: error });
  });
  if (text === null) return null;
  try {
    return phantomMarkerSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CxrError('CORRUPT', `${file} is damaged. Write the phantom again with "cxr-lens phantom".`, { cause });
  }
}

/** A folder's entries; NOT_FOUND or BAD_INPUT instead of a bare ENOENT or ENOTDIR. */
async function listFolder(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new CxrError('NOT_FOUND', `The folder ${folder} does not exist. Check the path.`, { cause });
    if (code === 'ENOTDIR') throw new CxrError('BAD_INPUT', `${folder} is a file; expected a folder. Check the path.`, { cause });
    throw new CxrError('UNAVAILABLE', `The folder ${folder} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

const IMAGE = /\.(png|jpe?g)$/i;
const DEPTH = 3;

/** The images below a folder, path by name; where several collections hold the same images one is chosen, and the warning says so. */
export async function findImages(
  folder: string,
  listed: { has(name: string): boolean },
  images: string | undefined,
): Promise<{ files: Map<string, string>; warnings: string[] }> {
  const root = images === undefined ? folder : path.resolve(folder, images);
  const collections = new Map<string, Map<string, string>>();
  for await (const file of walk(root, DEPTH)) {
    const name = path.basename(file).replace(IMAGE, '.png');
    if (!listed.has(name)) continue;
    const key = images === undefined ? collectionOf(path.relative(root, path.dirname(file))) : '.';
    const files = collections.get(key) ?? new Map<string, string>();
    if (!files.has(name)) files.set(name, file);
    collections.set(key, files);
  }
  return chooseCollections(collections);
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

/** The largest collection, and every other one that holds none of the images taken so far; by size, then by name. Two sources of one image never mix. */
function chooseCollections(collections: Map<string, Map<string, string>>): { files: Map<string, string>; warnings: string[] } {
  const ordered = [...collections].sort(([nameA, a], [nameB, b]) => b.size - a.size || (nameA < nameB ? -1 : 1));
  const files = new Map<string, string>();
  const usedFrom = new Map<string, string>();
  const dropped: { name: string; own: Map<string, string>; shared: string[] }[] = [];
  for (const [name, own] of ordered) {
    const shared = [...own.keys()].filter((image) => files.has(image));
    if (shared.length > 0) {
      dropped.push({ name, own, shared });
      continue;
    }
    for (const [image, file] of own) {
      files.set(image, file);
      usedFrom.set(image, name);
    }
  }
  const warnings = dropped.map(({ name, own, shared }) => {
    const others = [...new Set(shared.map((image) => usedFrom.get(image)!))].map(
      (other) => `${other} (${collections.get(other)!.size} images)`,
    );
    const lost = [...own.keys()].filter((image) => !files.has(image)).length;
    const consequence = lost > 0 ? `${lost} images that are only in ${name} are left out` : 'no image is lost';
    return `${shared.length} images are both in ${others.join(', ')}, used, and in ${name} (${own.size}), not used; ${consequence}. "--images ${name}" uses that folder instead.`;
  });
  return { files, warnings };
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
