import { CxrError } from '@cxr-lens/data';

interface CallHooks<Answer> {
  signal: AbortSignal;
  onAnswer: (index: number, answer: PromiseSettledResult<Answer>) => void;
}

export interface BatcherOptions<Item, Answer> {
  /** Answers each item as soon as it can; what it throws goes to those that it has not answered. */
  call: (items: readonly Item[], hooks: CallHooks<Answer>) => Promise<void>;
  /** Items of one call. */
  most: number;
}

export interface Batcher<Item, Answer> {
  /** Only items of one `key` share a call. CxrError CANCELLED once the signal is aborted, at no cost to the others. */
  ask(item: Item, options: { key: string; signal: AbortSignal }): Promise<Answer>;
  /** The number of calls by their number of items. */
  sizes: ReadonlyMap<number, number>;
}

/**
 * Gathers what is asked for into calls, one at a time. The window in which items gather is the call that runs: where none runs nothing waits,
 * and the longer it runs the more go together in the next. Keys take turns by the age of their oldest item.
 */
export function createBatcher<Item, Answer>({ call, most }: BatcherOptions<Item, Answer>): Batcher<Item, Answer> {
  type Asked = { item: Item; key: string; resolve: (answer: Answer) => void; reject: (reason: unknown) => void };
  const sizes = new Map<number, number>();
  let waiting: Asked[] = [];
  /** What the call that runs has not answered yet. */
  let running: { open: Set<Asked>; controller: AbortController } | null = null;

  async function ask(item: Item, { key, signal }: { key: string; signal: AbortSignal }): Promise<Answer> {
    if (signal.aborted) throw notWanted();
    let cancel = (): void => undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const asked = { item, key, resolve, reject };
        cancel = () => leave(asked);
        signal.addEventListener('abort', cancel);
        waiting.push(asked);
        if (!running) void callAll();
      });
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  function leave(asked: Asked): void {
    if (running?.open.has(asked) && running.open.size === 1) {
      // Nobody else wants the call. Its end rejects what was asked, and nothing does before: no call runs on behind a worker that stops.
      running.controller.abort();
    } else {
      waiting = waiting.filter((other) => other !== asked);
      running?.open.delete(asked);
      asked.reject(notWanted());
    }
  }

  async function callAll(): Promise<void> {
    for (let batch = next(); batch.length > 0; batch = next()) {
      sizes.set(batch.length, (sizes.get(batch.length) ?? 0) + 1);
      await callOnce(batch);
    }
    running = null;
  }

  function next(): Asked[] {
    const batch = waiting.filter(({ key }) => key === waiting[0]!.key).slice(0, most);
    waiting = waiting.filter((asked) => !batch.includes(asked));
    return batch;
  }

  async function callOnce(batch: readonly Asked[]): Promise<void> {
    const open = new Set(batch);
    const controller = new AbortController();
    running = { open, controller };
    const onAnswer = (index: number, answer: PromiseSettledResult<Answer>): void => {
      const asked = batch[index]!;
      open.delete(asked);
      if (answer.status === 'fulfilled') asked.resolve(answer.value);
      else asked.reject(answer.reason);
    };
    const items = batch.map(({ item }) => item);
    const failure = await call(items, { signal: controller.signal, onAnswer }).then(
      () => new CxrError('INTERNAL', 'A call ended without an answer to all that it was asked.'),
      (reason: unknown) => reason,
    );
    for (const { reject } of open) reject(failure);
  }

  return { ask, sizes };
}

function notWanted(): CxrError {
  return new CxrError('CANCELLED', 'It is no longer asked for.');
}
