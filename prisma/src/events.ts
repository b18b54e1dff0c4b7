import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { directUrl } from './client.ts';

const CHANNEL = 'cxr_events';
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5000;

const ChangeSchema = z.object({ type: z.enum(['job', 'run']), id: z.string() });

/** A job or run that changed, or `resync`: anything may have changed, read everything you look after. */
export type CxrEvent = z.infer<typeof ChangeSchema> | { type: 'resync' };

/**
 * Changes of jobs and runs, whoever makes them, over one connection that is made anew when it breaks. Its first event, and the first
 * after every new connection, is `resync`: from there on no change is missed. Ends when `signal` is aborted.
 */
export async function* subscribeEvents(url: string, options: { signal: AbortSignal }): AsyncGenerator<CxrEvent, void, undefined> {
  const { signal } = options;
  let delay = FIRST_DELAY_MS;
  while (!signal.aborted) {
    const client = new pg.Client({ connectionString: directUrl(url), keepAlive: true, keepAliveInitialDelayMillis: 10_000 });
    const inbox = new Inbox();
    client.on('notification', ({ payload }) => inbox.put(payload ?? ''));
    client.on('error', () => inbox.close());
    client.on('end', () => inbox.close());
    const stop = (): void => inbox.close();
    signal.addEventListener('abort', stop);
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      delay = FIRST_DELAY_MS;
      yield { type: 'resync' };
      for await (const payload of inbox.drain()) {
        const change = ChangeSchema.safeParse(parseJson(payload));
        if (change.success) yield change.data;
      }
    } catch {
      // The server does not answer now: the next turn of the loop tries again.
    } finally {
      signal.removeEventListener('abort', stop);
      await client.end().catch(() => undefined);
    }
    if (!signal.aborted) await sleep(delay, undefined, { signal }).catch(() => undefined);
    delay = Math.min(2 * delay, LONGEST_DELAY_MS);
  }
}

/** Notifications between their arrival and their reader; equal ones that wait are kept once. */
class Inbox {
  private readonly waiting = new Set<string>();
  private readonly bell = new EventTarget();
  private closed = false;

  put(payload: string): void {
    this.waiting.add(payload);
    this.bell.dispatchEvent(new Event('ring'));
  }

  close(): void {
    this.closed = true;
    this.bell.dispatchEvent(new Event('ring'));
  }

  async *drain(): AsyncGenerator<string, void, undefined> {
    while (!this.closed) {
      if (this.waiting.size === 0) await once(this.bell, 'ring');
      const payloads = [...this.waiting];
      this.waiting.clear();
      yield* payloads;
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
