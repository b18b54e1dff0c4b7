import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError, type OnProgress } from '@cxr-lens/data';
import { codeVersion, explainImages, type LoadedRun, loadRun } from '@cxr-lens/model';
import type { ExplainInput, RunExplanation } from './protocol.ts';

/** Networks that stay loaded: two methods with a successor each, some hundred megabytes at the most. */
const MAX_LOADED = 4;

/** Most recently used last; the key changes with the card, and so with the weights and thresholds it vouches for. */
const loaded = new Map<string, LoadedRun>();

/** What one run says about one image, and the buffers of its maps, which may be handed over instead of copied. */
export async function explain(
  { run: folder, bytes, where, findings }: ExplainInput,
  hooks: { onProgress: OnProgress; signal: AbortSignal },
): Promise<{ output: RunExplanation; transfer: ArrayBuffer[] }> {
  const { run, cardSha256 } = keepLoaded(folder);
  const [explained] = await explainImages(run, { images: [{ bytes, where }], findings, ...hooks });
  const maps = Object.values(explained!.findings).flatMap(({ cam, saliency }) => [cam.values, saliency.values]);
  const pins = {
    weightsSha256: run.card.weightsSha256,
    cardSha256,
    preprocessingVersion: run.card.preprocessingVersion,
    codeVersion: codeVersion(),
    // what imported weights were trained on is not known
    datasetHash: run.run.data?.datasetHash ?? 'unknown',
  };
  return { output: { findings: explained!.findings, pins }, transfer: wholeBuffers(maps) };
}

function keepLoaded(folder: string): { run: LoadedRun; cardSha256: string } {
  const cardSha256 = createHash('sha256').update(readCardBytes(folder)).digest('hex');
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

/** A view of a part of some buffer must be copied: its buffer is not ours to give away. */
function wholeBuffers(arrays: readonly Float32Array[]): ArrayBuffer[] {
  const whole = arrays.filter(({ buffer, byteLength }) => buffer instanceof ArrayBuffer && buffer.byteLength === byteLength);
  return [...new Set(whole.map(({ buffer }) => buffer as ArrayBuffer))];
}
