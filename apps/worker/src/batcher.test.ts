import { CxrError } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { type Batcher, type BatcherOptions, createBatcher } from './batcher.ts';

type Hooks = Parameters<BatcherOptions<string, string>['call']>[1];

/** A call that runs until the test ends it. */
interface Call extends Hooks {
  items: readonly string[];
  end(error?: Error): Promise<void>;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(most = 3): { calls: Call[]; batcher: Batcher<string, string>; ask: (item: string, signal?: AbortSignal) => Promise<string> } {
  const calls: Call[] = [];
  const batcher = createBatcher<string, string>({
    most,
    call: (items, hooks) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): Promise<void> => {
          if (error) reject(error);
          else resolve();
          return settled();
        };
        calls.push({ items, ...hooks, end });
      }),
  });
  /** The item's first letter is its key. */
  const ask = (item: string, signal = new AbortController().signal): Promise<string> => batcher.ask(item, { key: item[0]!, signal });
  return { calls, batcher, ask };
}

/** Answers every item with itself. */
async function answer({ items, onAnswer, end }: Call): Promise<void> {
  for (const [index, item] of items.entries()) onAnswer(index, { status: 'fulfilled', value: `${item}!` });
  await end();
}

describe('a batcher', () => {
  it('calls at once while no call runs', async () => {
    const { calls, ask } = open();
    const first = ask('a1');
    expect(calls.map(({ items }) => items)).toEqual([['a1']]);
    await answer(calls[0]!);
    expect(await first).toBe('a1!');
    const second = ask('a2');
    expect(calls.map(({ items }) => items)).toEqual([['a1'], ['a2']]);
    await answer(calls[1]!);
    expect(await second).toBe('a2!');
  });

  it('takes what arrives during a call together, at most so many, and counts', async () => {
    const { calls, batcher, ask } = open();
    const asked = ['a1', 'a2', 'a3', 'a4', 'a5'].map((item) => ask(item));
    expect(calls).toHaveLength(1);
    for (let call = 0; call < 3; call++) await answer(calls[call]!);
    expect(calls.map(({ items }) => items)).toEqual([['a1'], ['a2', 'a3', 'a4'], ['a5']]);
    expect(await Promise.all(asked)).toEqual(['a1!', 'a2!', 'a3!', 'a4!', 'a5!']);
    expect([...batcher.sizes]).toEqual([
      [1, 2],
      [3, 1],
    ]);
  });

  it('keeps keys apart, the oldest first', async () => {
    const { calls, ask } = open();
    for (const item of ['a1', 'b1', 'a2', 'b2', 'a3']) void ask(item);
    for (let call = 0; call < 3; call++) await answer(calls[call]!);
    expect(calls.map(({ items }) => items)).toEqual([['a1'], ['b1', 'b2'], ['a2', 'a3']]);
  });

  it('gives each its own answer when it is there, and a failing one its own error', async () => {
    const { calls, ask } = open();
    void ask('a0');
    const [first, bad, last] = [ask('a1'), ask('a2'), ask('a3')];
    await answer(calls[0]!);
    const { onAnswer, end } = calls[1]!;
    onAnswer(1, { status: 'rejected', reason: new CxrError('BAD_INPUT', 'a2 is no image') });
    await expect(bad).rejects.toMatchObject({ code: 'BAD_INPUT', message: 'a2 is no image' });
    onAnswer(2, { status: 'fulfilled', value: 'three' });
    expect(await last).toBe('three');
    onAnswer(0, { status: 'fulfilled', value: 'one' });
    expect(await first).toBe('one');
    await end();
  });

  it('fails what a failed call has not answered, and goes on', async () => {
    const { calls, ask } = open();
    void ask('a0');
    const [first, second] = [ask('a1'), ask('a2')];
    await answer(calls[0]!);
    calls[1]!.onAnswer(0, { status: 'fulfilled', value: 'one' });
    const failed = expect(second).rejects.toThrow('the engine died');
    await calls[1]!.end(new Error('the engine died'));
    await failed;
    expect(await first).toBe('one');
    const unanswered = expect(ask('a3')).rejects.toMatchObject({ code: 'INTERNAL' });
    await calls[2]!.end();
    await unanswered;
  });

  it('drops what is cancelled while it waits', async () => {
    const { calls, ask } = open();
    const controller = new AbortController();
    void ask('a0');
    const cancelled = ask('a1', controller.signal);
    const kept = ask('a2');
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(ask('a3', controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
    await answer(calls[0]!);
    await answer(calls[1]!);
    expect(await kept).toBe('a2!');
    expect(calls.map(({ items }) => items)).toEqual([['a0'], ['a2']]);
  });

  it('lets a call go on for the others when one of it is cancelled, and stops it with the last', async () => {
    const { calls, ask } = open();
    const controllers = [new AbortController(), new AbortController(), new AbortController()];
    void ask('a0');
    const [answered, ...cancelled] = controllers.map(({ signal }, index) => ask(`a${index + 1}`, signal));
    await answer(calls[0]!);
    const { signal, onAnswer, end } = calls[1]!;
    controllers[1]!.abort();
    await expect(cancelled[0]).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(signal.aborted).toBe(false);
    onAnswer(0, { status: 'fulfilled', value: 'one' });
    expect(await answered).toBe('one');
    // Too late, and nobody's matter any more.
    controllers[0]!.abort();
    expect(signal.aborted).toBe(false);

    let over = false;
    const last = cancelled[1]!.finally(() => (over = true));
    const stopped = expect(last).rejects.toMatchObject({ code: 'CANCELLED', message: 'stopped' });
    controllers[2]!.abort();
    expect(signal.aborted).toBe(true);
    await settled();
    expect(over).toBe(false);
    await end(new CxrError('CANCELLED', 'stopped'));
    await stopped;
  });
});
