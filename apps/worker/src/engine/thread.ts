// The engine's thread: owns TensorFlow and every tensor of this worker. Tasks take turns between their steps, so that an explanation
// does not wait for the end of a training.
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { CxrError, prepare, writePhantom } from '@cxr-lens/data';
import { type Evaluation, evaluateRun, trainRun, writeReport } from '@cxr-lens/model';
import { explain, wholeBuffers } from './explain.ts';
import { plainError, type Request, type Response } from './protocol.ts';

// Below the API's and the database's; what this thread starts inherits it, the main thread with its heartbeats does not.
const PRIORITY = 10;

setPriority(0, PRIORITY);
const port = parentPort!;
const send = (response: Response, transfer: readonly ArrayBuffer[] = []): void => port.postMessage(response, [...transfer]);

interface Call {
  abort: AbortController;
  hooks: Map<number, { resolve: () => void; reject: (error: Error) => void }>;
}

const calls = new Map<number, Call>();
let hooks = 0;

port.on('message', (request: Request) => {
  const call = calls.get(request.id);
  if (request.type === 'cancel') call?.abort.abort();
  else if (request.type === 'hooked') answerHook(call, request);
  else void runTask(request);
});

function answerHook(call: Call | undefined, { hook, error }: Extract<Request, { type: 'hooked' }>): void {
  const waiting = call?.hooks.get(hook);
  call?.hooks.delete(hook);
  if (error) waiting?.reject(new CxrError(error.code ?? 'INTERNAL', error.message));
  else waiting?.resolve();
}

async function runTask(request: Extract<Request, { type: 'start' }>): Promise<void> {
  const { id } = request;
  const call: Call = { abort: new AbortController(), hooks: new Map() };
  calls.set(id, call);
  try {
    await perform(request, call);
    send({ type: 'done', id });
  } catch (error) {
    send({ type: 'failed', id, error: plainError(error) });
  } finally {
    calls.delete(id);
  }
}

type HookOf<Name> = Omit<Extract<Response, { name: Name }>, 'type' | 'id' | 'hook'>;
type Hook = HookOf<'beforeWrite'> | HookOf<'onEpoch'> | HookOf<'onCheckpoint'> | HookOf<'onEvaluated'>;

async function perform(request: Extract<Request, { type: 'start' }>, call: Call): Promise<void> {
  const { id } = request;
  const ask = (what: Hook): Promise<void> =>
    new Promise((resolve, reject) => {
      const hook = ++hooks;
      call.hooks.set(hook, { resolve, reject });
      send({ type: 'hook', id, hook, ...what });
    });
  const common = {
    signal: call.abort.signal,
    onProgress: (progress: { what: string; done: number; total: number }) => send({ type: 'progress', id, progress }),
    beforeWrite: () => ask({ name: 'beforeWrite' }),
  };
  switch (request.task) {
    case 'phantom': {
      const { drawn, prepared } = request.input;
      const { signal, onProgress } = common;
      await writePhantom({ ...drawn, signal, onProgress });
      await prepare({ folder: drawn.folder, ...prepared, signal, onProgress });
      return;
    }
    case 'train':
      await trainRun({
        ...request.input,
        ...common,
        onEpoch: (epoch) => ask({ name: 'onEpoch', epoch }),
        onCheckpoint: (steps) => ask({ name: 'onCheckpoint', steps }),
      });
      return;
    case 'evaluate': {
      const { runs, data } = request.input;
      const evaluations: Evaluation[] = [];
      for (const run of runs) {
        evaluations.push(await evaluateRun({ run, data, ...common }));
        await ask({ name: 'onEvaluated', run });
      }
      await writeReport(evaluations, { data, ...common });
      return;
    }
    case 'explain':
      return explain(request.input, {
        signal: common.signal,
        onExplained: (index, explanation) => send({ type: 'explained', id, index, explanation }, wholeBuffers(explanation)),
        onFailure: (index, error) => send({ type: 'unexplained', id, index, error: plainError(error) }),
      });
  }
}
