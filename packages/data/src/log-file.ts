import { closeSync, existsSync, ftruncateSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';

/** A log that has grown beyond this is begun anew; looked at in time, it has not twice as many bytes. */
const LIMIT = 10 * 1024 ** 2;
/** Earlier parts that stay: `<file>.1` is the newest. */
const KEPT = 3;
const CHUNK = 1024 ** 2;

/**
 * Begins a log anew that has more than `limit` bytes, and keeps what it held, at most twice the limit, as `<file>.1`; the `kept`-th part
 * before goes. The file stays the same one, so that a process that appends to it (O_APPEND) goes on without knowing: it never waits and, but for a line in
 * the instant between the last read and the cut, loses nothing. Errors as those of node:fs; the log is then as it was.
 */
export function rotateLog(file: string, { limit = LIMIT, kept = KEPT }: { limit?: number; kept?: number } = {}): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= limit) return;
  const log = openSync(file, 'r+');
  const unfinished = `${file}.new`;
  let part: number | undefined;
  try {
    part = openSync(unfinished, 'w', 0o600);
    const at = copyFrom(log, part, Math.max(0, size - 2 * limit));
    for (let older = kept - 1; older >= 1; older -= 1)
      if (existsSync(`${file}.${older}`)) renameSync(`${file}.${older}`, `${file}.${older + 1}`);
    renameSync(unfinished, `${file}.1`);
    copyFrom(log, part, at);
    ftruncateSync(log);
  } finally {
    closeSync(log);
    if (part !== undefined) {
      closeSync(part);
      rmSync(unfinished, { force: true });
    }
  }
}

/** Copies what the log holds behind `at`, also what comes meanwhile; returns where it ended. */
function copyFrom(log: number, part: number, at: number): number {
  const chunk = Buffer.alloc(CHUNK);
  let place = at;
  for (let bytes = readSync(log, chunk, 0, CHUNK, place); bytes > 0; bytes = readSync(log, chunk, 0, CHUNK, place)) {
    writeSync(part, chunk, 0, bytes);
    place += bytes;
  }
  return place;
}
