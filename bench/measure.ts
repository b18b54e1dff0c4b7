import path from 'node:path';
import { type Case, type Section, SUBJECTS, type Subject, TRAINING } from './cases.ts';
import { isOurs, type Measurement } from './measurement.ts';
import { medianBy } from './median.ts';
import { jsonLines, runToEnd } from './process.ts';
import { type Python, pythonWith } from './python.ts';
import { bestOfEach, caseTable, checked, explanationCost, linesTable, throughput } from './table.ts';

/** What a part of the document says. */
export interface Part {
  /** Paragraphs. */
  text: string[];
  /** Whether ours was measured everywhere and all outputs agree. */
  agree: boolean;
  /** Subjects that could not be measured, and why. */
  leftOut: string[];
}

interface Options {
  /** What export.ts wrote. */
  folder: string;
  quick: boolean;
  /** Peers compute on the GPU too. */
  gpu: boolean;
  wanted: (subject: Subject) => boolean;
  say: (text: string) => void;
}

const RUNS = 5;
/** Processes of the fastest on each side. */
const ROUNDS = 5;
const QUICK_BATCH = 4;
// Of one measurement: a compiler that needs longer is of no use to anybody.
const LIMIT_MS = 20 * 60_000;
const SCRIPT_LIMIT_MS = 60 * 60_000;

/** How a script of this folder is started. */
export function tsx(script: string, args: readonly string[]): [string, ...string[]] {
  return [process.execPath, '--import', 'tsx', path.join(import.meta.dirname, script), ...args];
}

/** Every case, its subjects in turn, each in a process of its own. */
export async function measureSection({ cases }: Section, { folder, quick, gpu, wanted, say }: Options): Promise<Part> {
  const leftOut = new Set<string>();
  const options = { folder, runs: quick ? 1 : RUNS, gpu, say };
  const all: { one: Case; measurements: Measurement[] }[] = [];
  for (const { batch, ...rest } of cases) {
    const one = { ...rest, batch: quick ? Math.min(batch, QUICK_BATCH) : batch };
    const found = new Map<Measurement, Subject>();
    for (const subject of SUBJECTS.filter(({ tasks }) => tasks.includes(one.task)).filter(wanted)) {
      try {
        found.set(await measure(subject, one, options), subject);
      } catch (error) {
        const reason = `${subject.name} (${(error as Error).message})`;
        say(`  left out: ${reason}`);
        leftOut.add(reason);
      }
    }
    all.push({ one, measurements: quick ? [...found.keys()] : await bestInTurn(found, (subject) => measure(subject, one, options)) });
  }
  const found = all.map(({ measurements }) => measurements);
  const sameTask = new Set(cases.map(({ task, network }) => `${task} ${network}`)).size === 1;
  const summary = [...(sameTask ? throughput(found) : []), ...explanationCost(found.flat())];
  const tables = all.map(({ one, measurements }) => caseTable(one, measurements));
  const agree = found.every((same) => same.some(isOurs) && checked(same).every(({ agrees }) => agrees));
  return { text: [...summary, ...tables], agree, leftOut: [...leftOut] };
}

/**
 * All measurements, of which those of the fastest of ours and of the fastest peer are medians over processes that took turns: a machine
 * that is slower for some minutes is so for both.
 */
async function bestInTurn(
  found: ReadonlyMap<Measurement, Subject>,
  again: (subject: Subject) => Promise<Measurement>,
): Promise<Measurement[]> {
  const best = bestOfEach([...found.keys()]);
  const rounds = new Map(best ? [best.ours, best.peer].map((one) => [one, [one]]) : []);
  for (let round = 1; round < ROUNDS; round++) {
    for (const [one, same] of rounds) same.push(await again(found.get(one)!));
  }
  return [...found.keys()].map((one) => medianBy(rounds.get(one) ?? [one], ({ secondsMedian }) => secondsMedian));
}

const pythons = new Map<string, Promise<Python>>();

/** Installed once, and asked for once. */
function pythonOf(peer: string, say: (text: string) => void): Promise<Python> {
  const found = pythons.get(peer) ?? pythonWith(peer, say);
  pythons.set(peer, found);
  return found;
}

async function measure(subject: Subject, one: Case, options: Asked): Promise<Measurement> {
  options.say(`${one.title}, batch ${one.batch}: ${subject.name}`);
  const found = await processOf(subject, one, options);
  options.say(`  ${found.imagesPerSecond.toFixed(2)} images/s, ${Math.round(found.peakRssBytes / 2 ** 20)} MiB`);
  return found;
}

interface Asked extends Pick<Options, 'folder' | 'gpu' | 'say'> {
  runs: number;
}

/** Of ours, those that are made and kept. */
const graphs = new Set<string>();

async function processOf(
  { name, peer, precision, flags, env: own = {} }: Subject,
  { network, task, batch }: Case,
  { folder, runs, gpu, say }: Asked,
): Promise<Measurement> {
  const args = [
    ...Object.entries({ folder, network, task, batch, precision, runs }).flatMap(([name, value]) => [`--${name}`, `${value}`]),
    ...flags,
    ...(gpu && peer !== null ? ['--cuda'] : []),
  ];
  if (peer === null) {
    const ours = () => runToEnd(tsx('ours.ts', args), { env: own, limitMs: LIMIT_MS });
    // The first training on a machine makes the step's graph and checks it operation by operation, in more memory than any later one.
    const graph = [network, task, precision, batch].join(' ');
    if (TRAINING.includes(task) && !graphs.has(graph)) onlyLine(await ours());
    graphs.add(graph);
    return { ...onlyLine(await ours()), subject: name };
  }
  const { program, env } = await pythonOf(peer, say);
  const script = path.join(import.meta.dirname, 'peers', `${peer}_peer.py`);
  return onlyLine(await runToEnd([program, script, ...args], { env, limitMs: LIMIT_MS }));
}

function onlyLine({ code, output, complaint }: Awaited<ReturnType<typeof runToEnd>>): Measurement {
  const [line] = jsonLines<Measurement>(output);
  if (code !== 0 || !line) throw new Error(complaint);
  return line;
}

/** A script that measures by itself; the evaluation's has a peer in Python, where its packages can be had. */
export async function measureScript(script: string, say: (text: string) => void): Promise<Part> {
  say(script);
  const leftOut: string[] = [];
  let python: Python | null = null;
  if (script === 'evaluation.ts') {
    python = await pythonOf('evaluation', say).catch((error: Error) => {
      leftOut.push(`its peer (${error.message})`);
      return null;
    });
  }
  const args = python ? ['--peer', python.program] : [];
  const { code, output, complaint } = await runToEnd(tsx(script, args), { env: python?.env ?? {}, limitMs: SCRIPT_LIMIT_MS });
  const lines = jsonLines<Record<string, unknown>>(output);
  if (lines.length === 0) return { text: [], agree: false, leftOut: [...leftOut, `bench/${script} (${complaint})`] };
  return { text: [linesTable(lines)], agree: code === 0, leftOut };
}
