import { parentPort } from 'node:worker_threads';
import { CxrError } from '@cxr-lens/data';
import { perform, type Task } from './tasks.ts';

/** One task at a time; the answer is `{ result }` or `{ error }`, as errors lose their class on the way. */
parentPort!.on('message', async (task: Task) => {
  try {
    parentPort!.postMessage({ result: await perform(task) });
  } catch (error) {
    const code = error instanceof CxrError ? error.code : 'INTERNAL';
    parentPort!.postMessage({ error: { code, message: error instanceof Error ? error.message : String(error) } });
  }
});
