import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { z } from 'zod';

/** What is known of a slot once its pixels are written: enough to skip it, and to add up the statistics without reading it again. */
const lineSchema = z.object({
  slot: z.int().nonnegative(),
  /** Length and time of change of the file it came from. */
  bytes: z.number(),
  modified: z.number(),
  crc32: z.number(),
  /** Of the 8-bit pixels and of their squares. */
  sum: z.number(),
  squares: z.number(),
  /** Only for a 16-bit file: the evidence of the data set's bits in use, and the bits by which these pixels were made. */
  sixteen: z.object({ greatest: z.number(), sbit: z.number().nullable(), bits: z.number() }).optional(),
});

export type JournalLine = z.infer<typeof lineSchema>;

/** The journal beside a partial file. */
export interface Journal {
  /** The lines of an earlier run with the same plan, by slot. */
  known: ReadonlyMap<number, JournalLine>;
  add(line: JournalLine): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens or begins a journal. A line is added after its pixels were written, so a killed run loses at most what was in flight.
 * The first line names the plan; lines of another plan are dropped.
 */
export async function openJournal(path: string, plan: unknown): Promise<Journal> {
  const planLine = `${createHash('sha256').update(JSON.stringify(plan)).digest('hex')}\n`;
  const text = await readFile(path, 'latin1').catch(() => '');
  const continues = text.startsWith(planLine);
  // What stands behind the last line feed is a line that a kill cut off.
  const whole = continues ? text.slice(0, text.lastIndexOf('\n') + 1) : planLine;
  const handle = await open(path, continues ? 'a' : 'w');
  if (continues) await handle.truncate(whole.length);
  else await handle.write(planLine);
  const lines = whole.slice(planLine.length).split('\n').flatMap(parseLine);
  return {
    known: new Map(lines.map((line) => [line.slot, line])),
    add: async (line) => void (await handle.write(`${JSON.stringify(line)}\n`)),
    close: () => handle.close(),
  };
}

function parseLine(text: string): JournalLine[] {
  try {
    const parsed = lineSchema.safeParse(JSON.parse(text));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
