import { CxrError } from '@cxr-lens/data';
import { afterEach, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from './engine.ts';

let engine: Engine;

afterEach(() => engine.close());

/** An engine whose thread runs this instead of TensorFlow. */
function engineOf(script: string, limits?: Parameters<typeof startEngine>[1]): Engine {
  engine = startEngine(
    new URL(`data:text/javascript,import { parentPort as port } from 'node:worker_threads';${encodeURIComponent(script)}`),
    limits,
  );
  return engine;
}

const hooks = { signal: new AbortController().signal, onProgress: () => undefined, beforeWrite: () => Promise.resolve() };
const input = { runs: ['a'], data: 'b' };

describe("the engine's thread", () => {
  it('fails the task that it dies of, and says so', async () => {
    const { call, died } = engineOf(`port.on('message', () => { throw new Error('boom'); });`);
    await expect(call('evaluate', input, hooks)).rejects.toMatchObject({ code: 'INTERNAL', message: "The engine's thread died: boom" });
    expect((await died).message).toBe('boom');
    await expect(call('evaluate', input, hooks)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('keeps the code of an error on its way', async () => {
    const { call } = engineOf(`port.on('message', ({ id }) =>
      port.postMessage({ type: 'failed', id, error: { code: 'CORRUPT', message: 'byte 7', stack: 'there' } }));`);
    const refused = call('evaluate', input, hooks);
    await expect(refused).rejects.toBeInstanceOf(CxrError);
    await expect(refused).rejects.toMatchObject({ code: 'CORRUPT', message: 'byte 7', stack: 'there' });
  });

  it('tells of each image what was found, or why nothing was', async () => {
    const { call } = engineOf(`port.on('message', ({ id }) => {
      port.postMessage({ type: 'explained', id, index: 0, explanation: 'found' });
      port.postMessage({ type: 'unexplained', id, index: 1, error: { code: 'BAD_INPUT', message: 'no image' } });
      port.postMessage({ type: 'done', id });
    });`);
    const told: unknown[] = [];
    await call('explain', { run: 'a', images: [] }, { ...hooks, onExplained: (index, outcome) => void told.push([index, outcome]) });
    expect(told).toEqual([
      [0, { status: 'fulfilled', value: 'found' }],
      [1, { status: 'rejected', reason: expect.objectContaining({ code: 'BAD_INPUT', message: 'no image' }) }],
    ]);
  });

  it('stops the task when a hook refuses, with the very error of the hook', async () => {
    const { call } = engineOf(`port.on('message', ({ type, id, error }) => port.postMessage(
      type === 'start' ? { type: 'hook', id, hook: 1, name: 'beforeWrite' } : { type: 'failed', id, error }));`);
    const stale = new CxrError('CONFLICT', 'replaced');
    await expect(call('evaluate', input, { ...hooks, beforeWrite: () => Promise.reject(stale) })).rejects.toBe(stale);
  });

  it('is told when the signal is aborted, before or during a task', async () => {
    const { call } = engineOf(`port.on('message', ({ type, id }) => type === 'cancel' &&
      port.postMessage({ type: 'failed', id, error: { code: 'CANCELLED', message: 'stopped' } }));`);
    const controller = new AbortController();
    const during = call('evaluate', input, { ...hooks, signal: controller.signal });
    controller.abort();
    await expect(during).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(call('evaluate', input, { ...hooks, signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('is given up when it does not stop what was cancelled, and with it every other call', async () => {
    const { call, died } = engineOf(`port.on('message', () => { for (;;); });`, { cancelMs: 100, silenceMs: 60_000 });
    const controller = new AbortController();
    const stuck = call('evaluate', input, { ...hooks, signal: controller.signal });
    const other = call('evaluate', input, hooks);
    controller.abort();
    const message = "The engine's thread died: it did not stop a cancelled evaluate call within 0.1 seconds";
    for (const end of [stuck, other]) await expect(end).rejects.toMatchObject({ code: 'INTERNAL', message });
    expect((await died).message).toContain('did not stop');
  });

  it('is given up when it says nothing while there is work, and not while there is none', async () => {
    const { call, died } = engineOf(`port.on('message', ({ id, task }) => task === 'explain' && port.postMessage({ type: 'done', id }));`, {
      cancelMs: 60_000,
      silenceMs: 300,
    });
    await call('explain', { run: 'a', images: [] }, hooks);
    const early = await Promise.race([died, new Promise((resolve) => setTimeout(() => resolve('alive'), 700))]);
    expect(early).toBe('alive');
    await expect(call('evaluate', input, hooks)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('said nothing'),
    });
  });
});
