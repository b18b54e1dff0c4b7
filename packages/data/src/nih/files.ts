import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CxrError } from '../error.ts';

/** The tables and lists of a folder in NIH format: NIH's own names, the best first, and the names that mirrors give them. */
const OFFICIAL = {
  // v2020 holds NIH's corrections of 2017.
  table: { exact: ['Data_Entry_2017_v2020.csv', 'Data_Entry_2017.csv'], like: /^Data_Entry.*\.csv$/i, option: '--table' },
  trainValList: { exact: ['train_val_list.txt'], like: /^train_val_list.*\.txt$/i, option: '--train-val-list' },
  testList: { exact: ['test_list.txt'], like: /^test_list.*\.txt$/i, option: '--test-list' },
  boxes: { exact: ['BBox_List_2017.csv'], like: /^BBox_List.*\.csv$/i, option: '--boxes' },
} as const;

export type FileRole = keyof typeof OFFICIAL;

export const FILE_ROLES = Object.keys(OFFICIAL) as [FileRole, ...FileRole[]];

/** Files chosen by hand, relative to the data folder or absolute. */
export type ChosenFiles = Partial<Record<FileRole, string>>;

/** The files that were read, absolute; the box list may be absent. */
export interface OfficialFiles {
  table: string;
  trainValList: string;
  testList: string;
  boxes: string | null;
  /** What a phantom says of itself; null: real images. */
  phantom: PhantomMarker | null;
}

/** One file that was read: its name without the folder, and the SHA-256 of its bytes. */
export interface ReadFile {
  role: FileRole;
  name: string;
  sha256: string;
}

/** What the reader needs of `truth/phantom.json`, which only a phantom has. */
const phantomMarkerSchema = z.object({
  synthetic: z.literal(true),
  splitSeed: z.number().optional(),
  shortcuts: z.object({ train: z.number(), validation: z.number() }).optional(),
});

export type PhantomMarker = z.infer<typeof phantomMarkerSchema>;

/**
 * The tables and lists of a folder: those chosen, else NIH's exact names, else the one file that is named alike.
 * NOT_FOUND says which is missing and where to get it; BAD_INPUT names two files of which neither is NIH's, and the option that chooses.
 */
export async function findOfficialFiles(folder: string, chosen: ChosenFiles = {}): Promise<OfficialFiles> {
  const names = (await listFolder(folder)).filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  const find = (role: FileRole): string | null => {
    const own = chosen[role];
    return own === undefined ? fileOf(role, folder, names) : path.resolve(folder, own);
  };
  const need = (role: FileRole): string => {
    const found = find(role);
    if (found) return found;
    throw new CxrError(
      'NOT_FOUND',
      `${folder} holds no ${OFFICIAL[role].exact.join(' or ')}. Expected a folder in NIH ChestX-ray14's format: Data_Entry_2017_v2020.csv, ` +
        "train_val_list.txt, test_list.txt, BBox_List_2017.csv and images below. The lists and tables are on NIH's download page; " +
        `"cxr-lens phantom" writes a synthetic one. ${OFFICIAL[role].option} names a file that is called otherwise.`,
    );
  };
  return {
    table: need('table'),
    trainValList: need('trainValList'),
    testList: need('testList'),
    boxes: find('boxes'),
    phantom: await readMarker(path.join(folder, 'truth/phantom.json')),
  };
}

function fileOf(role: FileRole, folder: string, names: readonly string[]): string | null {
  const { exact, like, option } = OFFICIAL[role];
  const alike = names.filter((name) => like.test(name)).sort();
  const name = exact.find((official) => alike.includes(official)) ?? alike[0];
  if (name === undefined) return null;
  if (alike.length > 1 && !(exact as readonly string[]).includes(name)) {
    throw new CxrError(
      'BAD_INPUT',
      `${folder} holds ${alike.join(' and ')}, and none is called ${exact.join(' or ')}. Choose one with ${option}, or give it NIH's name.`,
    );
  }
  return path.join(folder, name);
}

/** Name and SHA-256 of each file, in the order of reading. NOT_FOUND and UNAVAILABLE name the one that cannot be read. */
export async function hashFiles(files: OfficialFiles): Promise<ReadFile[]> {
  const hashed: ReadFile[] = [];
  for (const role of FILE_ROLES) {
    const file = files[role];
    if (file === null) continue;
    const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
      const { option } = OFFICIAL[role];
      if (cause.code === 'ENOENT')
        throw new CxrError('NOT_FOUND', `${file} does not exist. Check the path; ${option} is relative to the data folder.`, { cause });
      if (cause.code === 'EISDIR')
        throw new CxrError('BAD_INPUT', `${file} is a folder; expected a file. Check the path of ${option}.`, { cause });
      throw new CxrError('UNAVAILABLE', `${file} cannot be read: ${cause.message}.`, { cause });
    });
    hashed.push({ role, name: path.basename(file), sha256: createHash('sha256').update(bytes).digest('hex') });
  }
  return hashed;
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
export async function listFolder(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new CxrError('NOT_FOUND', `The folder ${folder} does not exist. Check the path.`, { cause });
    if (code === 'ENOTDIR') throw new CxrError('BAD_INPUT', `${folder} is a file; expected a folder. Check the path.`, { cause });
    throw new CxrError('UNAVAILABLE', `The folder ${folder} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}
