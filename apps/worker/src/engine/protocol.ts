import type { CxrError, ErrorCode, Finding, Progress, WritePhantomOptions } from '@cxr-lens/data';
import type { BitsRead, FindingExplanation, ImageRequest, TrainRequest } from '@cxr-lens/model';
import type { Epoch } from '@cxr-lens/model/spec';

/** What the engine thread does, with what each task gets: paths, bytes and plain arrays; tensors never leave it. */
export interface Tasks {
  /** Phantoms in NIH format in `folder`, and the prepared file of them. */
  phantom: {
    drawn: Pick<WritePhantomOptions, 'folder' | 'images' | 'size' | 'seed' | 'prevalence'>;
    prepared: { out: string; size: number };
  };
  train: TrainRequest;
  /** Several runs share one report. */
  evaluate: { runs: readonly string[]; data: string };
  /** By a finished run folder with this card, if one is registered. What is found is told image by image. */
  explain: { run: string; cardSha256?: string | undefined; images: readonly ImageRequest[] };
}

export interface RunExplanation {
  findings: Partial<Record<Finding, FindingExplanation>>;
  /** Null unless the image is a 16-bit PNG. */
  bits: BitsRead | null;
  pins: { weightsSha256: string; cardSha256: string; preprocessingVersion: string; codeVersion: string; datasetHash: string };
}

export type TaskName = keyof Tasks;

/** To the thread; `id` names the call. */
export type Request =
  | { [Name in TaskName]: { type: 'start'; id: number; task: Name; input: Tasks[Name] } }[TaskName]
  | { type: 'cancel'; id: number }
  | { type: 'hooked'; id: number; hook: number; error: PlainError | null };

/** From the thread. `hook` asks for something to be done before the task goes on: the answer is `hooked`. `index` names the image. */
export type Response =
  | { type: 'progress'; id: number; progress: Progress }
  | { type: 'hook'; id: number; hook: number; name: 'beforeWrite' }
  | { type: 'hook'; id: number; hook: number; name: 'onEpoch'; epoch: Epoch }
  | { type: 'hook'; id: number; hook: number; name: 'onCheckpoint'; steps: number }
  | { type: 'hook'; id: number; hook: number; name: 'onEvaluated'; run: string }
  | { type: 'explained'; id: number; index: number; explanation: RunExplanation }
  | { type: 'unexplained'; id: number; index: number; error: PlainError }
  | { type: 'done'; id: number }
  | { type: 'failed'; id: number; error: PlainError };

/** An error on its way between threads: structured cloning keeps no `code`. */
export interface PlainError {
  code: ErrorCode | null;
  message: string;
  stack: string | undefined;
}

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { code: null, message: String(error), stack: undefined };
  const { code } = error as Partial<CxrError>;
  return { code: error.name === 'CxrError' && code ? code : null, message: error.message, stack: error.stack };
}
