import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { random } from '@cxr-lens/data';
import { residentMemory } from '../home.ts';
import { serve } from '../served.ts';
import { API_TARGETS } from './requests.ts';
import { closeTargets, type Input, TARGETS, type Target } from './targets.ts';

export interface FuzzOptions {
  /** Inputs a target. */
  count: number;
  seed: number;
  targets: readonly string[];
  /** Where inputs are kept that were neither accepted nor refused. */
  failures: string;
  signal: AbortSignal;
  say: (line: string) => void;
}

export interface Counts {
  target: string;
  accepted: number;
  refused: number;
  /** One sentence each, with the number of the input. */
  faults: string[];
  seconds: number;
}

const MOST_MB = 600;
/** What an API may grow by while it reads small inputs: its heap is collected late. */
const GROWTH_MB = 200;
const VALID_EVERY = 25;
/** After so many faults a target is left: one cause makes many. */
const MOST_FAULTS = 20;

/** Gives each target `count` mutated inputs. The same seed gives the same inputs, whatever the count and the other targets. */
export async function fuzz(options: FuzzOptions): Promise<Counts[]> {
  const { targets, signal } = options;
  const root = mkdtempSync(path.join(tmpdir(), 'cxr-fuzz-'));
  const served = targets.some((name) => name in API_TARGETS) ? await serve(signal) : null;
  const api = (): number | undefined => served?.home.roles().get('api');
  try {
    const counts: Counts[] = [];
    for (const name of targets) {
      const open = TARGETS[name]!;
      const target = await open({ folder: path.join(root, name), url: served?.client.url ?? '' });
      const pid = api();
      const memory = name in API_TARGETS ? (): number => residentMemory(api()) : () => 0;
      const one = await fuzzTarget(name, target, { ...options, memory });
      if (pid !== undefined && api() !== pid) one.faults.push('the API ended');
      counts.push(one);
    }
    return counts;
  } finally {
    await closeTargets();
    await served?.home.remove();
    rmSync(root, { recursive: true, force: true });
  }
}

interface TargetOptions extends Omit<FuzzOptions, 'targets'> {
  /** Resident megabytes of what reads the inputs. */
  memory: () => number;
}

/** One target; inputs that are neither accepted nor refused are kept. */
export async function fuzzTarget(name: string, target: Target, options: TargetOptions): Promise<Counts> {
  const { count, seed, failures, signal, say, memory } = options;
  const begun = Date.now();
  const counts: Counts = { target: name, accepted: 0, refused: 0, faults: [], seconds: 0 };
  let warm = 0;
  for (let i = 0; i < count && counts.faults.length < MOST_FAULTS; i++) {
    signal.throwIfAborted();
    if (i === Math.floor(count / 4)) warm = memory();
    const made = target.make(random(`${seed}/${name}/${i}`));
    // Some are valid: a target that refuses them too would read nothing of the others.
    const input = i % VALID_EVERY === 0 ? { ...made, ...made.valid } : made;
    const verdict = await target.read(input);
    if (typeof verdict === 'string') counts[verdict] += 1;
    else counts.faults.push(`input ${i}: ${verdict.fault}; kept as ${keep(input, path.join(failures, `${name}-${seed}-${i}`))}`);
    if ((i + 1) % 1000 === 0) say(`${name}: ${i + 1} of ${count}, ${counts.accepted} accepted, ${counts.faults.length} faults`);
  }
  const now = memory();
  if (now > MOST_MB || now - warm > GROWTH_MB) counts.faults.push(`the API grew from ${warm.toFixed(0)} to ${now.toFixed(0)} MB`);
  return { ...counts, seconds: (Date.now() - begun) / 1000 };
}

function keep({ bytes }: Input, file: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
}

export const TARGET_NAMES = Object.keys(TARGETS);
