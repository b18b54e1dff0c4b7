import { statfs } from 'node:fs/promises';
import path from 'node:path';

// Postgres stops when it cannot grow its log of 16 MiB files, and uploads under way may take 64 MiB each.
const RESERVE_BYTES = 256 * 2 ** 20;
/** A small disk keeps this share of it instead. */
const RESERVE_SHARE = 0.05;

/**
 * Bytes that may still be written below each folder, the least of them: what is free without a reserve for the database and for what is
 * under way. Negative once the reserve is touched. A folder that is not there counts as the nearest one above it.
 */
export async function roomIn(folders: readonly string[]): Promise<number> {
  return Math.min(...(await Promise.all(folders.map(roomBelow))));
}

async function roomBelow(folder: string): Promise<number> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return bavail * bsize - Math.min(RESERVE_BYTES, RESERVE_SHARE * blocks * bsize);
  } catch (error) {
    const above = path.dirname(folder);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && above !== folder) return roomBelow(above);
    throw error;
  }
}
