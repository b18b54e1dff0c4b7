import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { codeVersion, explainEach, type LoadedRun, loadRun } from '@cxr-lens/model';
import type { RunExplanation, Tasks } from './protocol.ts';

/** Networks that stay loaded: two methods with a successor each, some hundred megabytes at the most. */
const MAX_LOADED = 4;

/**
 * Most recently used last, and so is what is in use: there is one such task at a time. The key changes with the card, and so with the
 * weights and thresholds it vouches for.
 */
const loaded = new Map<string, LoadedRun>();

interface Telling {
  signal: AbortSignal;
  onExplained: (index: number, explanation: RunExplanation) => void;
  /** Of one image, which costs the others nothing. */
  onFailure: (index: number, error: unknown) => void;
}

/** What one run says about each of some images, told in their order. */
export async function explain(
  { run: folder, cardSha256: registered, images }: Tasks['explain'],
  { signal, onExplained, onFailure }: Telling,
): Promise<void> {
  const { run, cardSha256 } = keepLoaded(folder, registered);
  const pins = {
    weightsSha256: run.card.weightsSha256,
    cardSha256,
    codeVersion: codeVersion(),
    // what imported weights were trained on is not known
    datasetHash: run.run.data?.datasetHash ?? 'unknown',
  };
  let index = 0;
  for await (const outcome of explainEach(run, images, signal)) {
    if (outcome.status === 'fulfilled') {
      const { findings, bits, preprocessingVersion } = outcome.value;
      onExplained(index, { findings, bits, pins: { ...pins, preprocessingVersion } });
    } else onFailure(index, outcome.reason);
    index += 1;
  }
}

function keepLoaded(folder: string, registered: string | undefined): { run: LoadedRun; cardSha256: string } {
  const cardSha256 = createHash('sha256').update(readCardBytes(folder)).digest('hex');
  if (registered !== undefined && cardSha256 !== registered) {
    throw new CxrError(
      'CORRUPT',
      `${folder}: card.json has SHA-256 ${cardSha256}, the registered one is ${registered}: it was changed since, and its thresholds decide. If it was evaluated by hand, "cxr-lens register ${folder}".`,
    );
  }
  const key = `${folder} ${cardSha256}`;
  const run = loaded.get(key) ?? loadRun(folder);
  loaded.delete(key);
  loaded.set(key, run);
  for (const [oldest, old] of loaded) {
    if (loaded.size <= MAX_LOADED) break;
    loaded.delete(oldest);
    old.dispose();
  }
  return { run, cardSha256 };
}

function readCardBytes(folder: string): Uint8Array {
  try {
    return readFileSync(path.join(folder, 'card.json'));
  } catch (cause) {
    throw new CxrError('NOT_FOUND', `${folder} has no card.json: it is gone from this machine, or its training has not finished.`, {
      cause,
    });
  }
}

/** Of its maps, what may be handed over instead of copied: a view of a part of some buffer is not, its buffer is not ours to give away. */
export function wholeBuffers({ findings }: RunExplanation): ArrayBuffer[] {
  const arrays = Object.values(findings).flatMap(({ cam, saliency }) => [cam.values, saliency.values]);
  const whole = arrays.filter(({ buffer, byteLength }) => buffer instanceof ArrayBuffer && buffer.byteLength === byteLength);
  return [...new Set(whole.map(({ buffer }) => buffer as ArrayBuffer))];
}
