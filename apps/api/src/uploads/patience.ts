import { CxrError } from '@cxr-lens/data';

/** Whoever sends nothing for so long has gone; whoever sends less than `MIN_BYTES` meanwhile keeps a place for nothing. */
const PATIENCE_MS = 30_000;
const MIN_BYTES = 64 * 1024;

/** Milliseconds that one request was waited for since it last sent enough. Time in which the sender was not read does not count. */
export interface Patience {
  waitedMs: number;
  bytes: number;
}

export const createPatience = (): Patience => ({ waitedMs: 0, bytes: 0 });

interface Hearing<T> {
  where: string;
  patience: Patience;
  /** Bytes that came with it. */
  size(result: T): number;
}

/** Waits for the sender; CANCELLED if less than 64 KiB came in 30 s of waiting. */
export async function heard<T>(coming: Promise<T>, { where, patience, size }: Hearing<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const begun = performance.now();
  const tooSlow = (): CxrError =>
    new CxrError('CANCELLED', `${where}: less than ${MIN_BYTES / 1024} KiB came in ${PATIENCE_MS / 1000} s. Send it again.`);
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooSlow()), Math.max(0, PATIENCE_MS - patience.waitedMs));
  });
  try {
    const result = await Promise.race([coming, silence]);
    patience.bytes += size(result);
    return result;
  } finally {
    clearTimeout(timer);
    patience.waitedMs += performance.now() - begun;
    if (patience.bytes >= MIN_BYTES) Object.assign(patience, createPatience());
  }
}
