import { Worker } from 'node:worker_threads';
import { CxrError, type Progress } from '@cxr-lens/data';
import type { Epoch } from '@cxr-lens/model/spec';
import { type PlainError, plainError, type Request, type Response, type RunExplanation, type TaskName, type Tasks } from './protocol.ts';

interface TaskHooks {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
  /** The task waits for these; what they throw stops it. */
  beforeWrite: () => Promise<void>;
  onEpoch?: (epoch: Epoch) => Promise<void>;
  /** With the steps since the training's start. */
  onCheckpoint?: (steps: number) => Promise<void>;
  /** The run's folder holds its evaluation, and perhaps another card. */
  onEvaluated?: (run: string) => Promise<void>;
  /** In the images' order, each as soon as it is there. */
  onExplained?: (index: number, outcome: PromiseSettledResult<RunExplanation>) => void;
}

/** The engine's thread, as the rest of the worker sees it. */
export interface Engine {
  /** CxrError as the task's; INTERNAL when the thread dies of it. */
  call<Name extends TaskName>(task: Name, input: Tasks[Name], hooks: TaskHooks): Promise<void>;
  /** Resolves with the reason when the thread has died: TensorFlow cannot be loaded twice, so its process has to be started anew. */
  died: Promise<Error>;
  close(): Promise<void>;
}

/** How long the thread may go on with a call after it was cancelled: longer than any step and its checkpoint. */
const CANCEL_MS = 120_000;
/** How long the thread may say nothing while a call is open: longer than the longest step that options allow. */
const SILENCE_MS = 60 * 60_000;

interface Limits {
  cancelMs: number;
  silenceMs: number;
}

interface Call {
  hooks: TaskHooks;
  resolve: () => void;
  reject: (error: Error) => void;
}

/**
 * Starts the thread; TensorFlow is loaded with it. A thread that does not end a cancelled call, or says nothing for an hour, is given up as
 * if it had died: nothing inside this process can stop TensorFlow in the middle of an operation.
 */
export function startEngine(
  script = new URL('./thread.ts', import.meta.url),
  { cancelMs, silenceMs }: Limits = { cancelMs: CANCEL_MS, silenceMs: SILENCE_MS },
): Engine {
  // Node runs TypeScript by itself: no loader of this thread must be handed on.
  const thread = new Worker(script, { execArgv: [] });
  const calls = new Map<number, Call>();
  const send = (request: Request): void => thread.postMessage(request);
  let lastId = 0;
  let closing = false;
  let death: CxrError | null = null;

  let giveUp: (error: Error) => void = () => undefined;
  const died = new Promise<Error>((resolve) => {
    giveUp = resolve;
    thread.on('error', resolve);
    thread.on('exit', (code) => {
      if (!closing) resolve(new Error(`the engine's thread ended with code ${code}`));
    });
  });
  void died.then((error) => {
    death = new CxrError('INTERNAL', `The engine's thread died: ${error.message}`, { cause: error });
    for (const { reject } of calls.values()) reject(death);
    calls.clear();
  });

  let heard = performance.now();
  const watch = setInterval(() => {
    if (calls.size === 0) heard = performance.now();
    else if (performance.now() - heard > silenceMs)
      giveUp(new Error(`it has said nothing for ${Math.round(silenceMs / 60_000)} minutes of work`));
  }, silenceMs / 10).unref();

  thread.on('message', (response: Response) => {
    heard = performance.now();
    const call = calls.get(response.id);
    if (!call) return;
    if (response.type === 'progress') call.hooks.onProgress(response.progress);
    else if (response.type === 'hook') void answer(call, response);
    else if (response.type === 'explained') call.hooks.onExplained?.(response.index, { status: 'fulfilled', value: response.explanation });
    else if (response.type === 'unexplained')
      call.hooks.onExplained?.(response.index, { status: 'rejected', reason: revive(response.error) });
    else {
      calls.delete(response.id);
      if (response.type === 'done') call.resolve();
      else call.reject(revive(response.error));
    }
  });

  /** Keeps the hook's own error, which may be more than its message. */
  async function answer(call: Call, response: Extract<Response, { type: 'hook' }>): Promise<void> {
    const { id, hook } = response;
    try {
      if (response.name === 'beforeWrite') await call.hooks.beforeWrite();
      else if (response.name === 'onCheckpoint') await call.hooks.onCheckpoint?.(response.steps);
      else if (response.name === 'onEpoch') await call.hooks.onEpoch?.(response.epoch);
      else await call.hooks.onEvaluated?.(response.run);
      send({ type: 'hooked', id, hook, error: null });
    } catch (error) {
      const { reject } = call;
      call.reject = () => reject(error as Error);
      send({ type: 'hooked', id, hook, error: plainError(error) });
    }
  }

  function call<Name extends TaskName>(task: Name, input: Tasks[Name], hooks: TaskHooks): Promise<void> {
    if (death) return Promise.reject(death);
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      let patience: NodeJS.Timeout | undefined;
      const cancel = (): void => {
        send({ type: 'cancel', id });
        const late = new Error(`it did not stop a cancelled ${task} call within ${cancelMs / 1000} seconds`);
        patience = setTimeout(() => giveUp(late), cancelMs).unref();
      };
      const forget = (): void => {
        clearTimeout(patience);
        hooks.signal.removeEventListener('abort', cancel);
      };
      calls.set(id, {
        hooks,
        resolve: () => {
          forget();
          resolve();
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      });
      send({ type: 'start', id, task, input } as Request);
      if (hooks.signal.aborted) cancel();
      else hooks.signal.addEventListener('abort', cancel);
    });
  }

  async function close(): Promise<void> {
    closing = true;
    clearInterval(watch);
    // A thread that is stuck in an operation never ends; its process does.
    if (death === null) await thread.terminate();
  }

  return { call, died, close };
}

function revive({ code, message, stack }: PlainError): Error {
  const error = code ? new CxrError(code, message) : new Error(message);
  if (stack) error.stack = stack;
  return error;
}
