import { CxrError } from '@cxr-lens/data';
import { type CxrEvent, subscribeEvents } from '@cxr-lens/prisma';
import type { FastifyBaseLogger } from 'fastify';

/** One interest in one row. `changed()` resolves at once when something happened since it last did. */
interface Watch {
  changed(): Promise<void>;
  /** Also wakes a waiting `changed()`. */
  close(): void;
}

export interface Changes {
  watch(type: 'job' | 'run', id: string): Watch;
  stop(): Promise<void>;
}

/** Listens to the database once for all subscribers, and wakes those whose row changed. */
export function listenForChanges(url: string, log: FastifyBaseLogger): Changes {
  const abort = new AbortController();
  const waiting = new Map<string, Set<() => void>>();
  const wake = (event: CxrEvent): void => {
    const keys = event.type === 'resync' ? [...waiting.keys()] : [`${event.type}/${event.id}`];
    for (const key of keys) for (const notify of waiting.get(key) ?? []) notify();
  };
  const listening = (async () => {
    for await (const event of subscribeEvents(url, { signal: abort.signal })) wake(event);
  })().catch((error: unknown) => {
    if (!abort.signal.aborted) log.error({ err: error }, 'the connection for live updates ended; subscriptions show no changes any more');
  });
  return {
    watch: (type, id) => watchKey(waiting, `${type}/${id}`),
    stop: () => {
      abort.abort();
      return listening;
    },
  };
}

function watchKey(waiting: Map<string, Set<() => void>>, key: string): Watch {
  let dirty = true;
  let wake: (() => void) | null = null;
  const notify = (): void => {
    dirty = true;
    wake?.();
  };
  const group = waiting.get(key) ?? new Set();
  waiting.set(key, group.add(notify));
  return {
    changed: async () => {
      while (!dirty) await new Promise<void>((resolve) => (wake = resolve));
      dirty = false;
    },
    close: () => {
      group.delete(notify);
      if (group.size === 0 && waiting.get(key) === group) waiting.delete(key);
      notify();
    },
  };
}

export interface Following<State> {
  watch: Watch;
  /** Names the row in errors: `job 42`. */
  what: string;
  read(): Promise<State | null>;
  final(state: State): boolean;
}

/**
 * The states of one row: the present one first, then one for each change (changes that come while nobody asks are one), the final one last.
 * NOT_FOUND when there is no such row; a row that is deleted meanwhile ends it. Not an async generator: its `return()` would wait for the next change.
 */
export async function follow<State>({ watch, what, read, final }: Following<State>): Promise<AsyncIterableIterator<State>> {
  let ended = false;
  const end = (): IteratorReturnResult<undefined> => {
    ended = true;
    watch.close();
    return { done: true, value: undefined };
  };
  const present = await read().catch((error: unknown) => {
    end();
    throw error;
  });
  if (present === null) {
    end();
    throw new CxrError('NOT_FOUND', `There is no ${what}.`);
  }
  let last = present;
  const states: AsyncIterableIterator<State> = {
    [Symbol.asyncIterator]: () => states,
    next: async () => {
      if (!ended) await watch.changed();
      if (ended) return end();
      // When the database does not answer, the resolver of this state says so; an error from here would close the whole socket.
      const state = await read().catch(() => last);
      if (state === null) return end();
      last = state;
      if (final(state)) end();
      return { done: false, value: state };
    },
    return: async () => end(),
    throw: async (error) => {
      end();
      throw error;
    },
  };
  return states;
}
