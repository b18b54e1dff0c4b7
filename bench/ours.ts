/**
 * CXR Lens as a subject: one task, timed as peers/measuring.py does it, one JSON line.
 *
 *   npx tsx bench/ours.ts --folder F --network truncated-densenet121 --task train --batch 32 --precision float32 --runs 5
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FINDINGS } from '@cxr-lens/data';
import { type BenchModel, type BenchNetwork, benchModel } from '@cxr-lens/model/bench';
import { type Images, readImages } from './images.ts';
import type { Measurement } from './measurement.ts';
import { medianBy } from './median.ts';

/** Of a run: shorter calls are repeated. */
const LEAST_SECONDS = 1;
const STEPS_COMPARED = 3;
/** Every one of so many. */
const PIXELS_COMPARED = 1009;

const ALL = FINDINGS.map((_, index) => index);

interface Task {
  work: () => unknown;
  /** Of one call of `work`; left out, one. */
  batches?: number;
  /** What `work` is compared with, called in turn with it. */
  beside?: () => unknown;
  /** Of the first calls, to be compared. */
  outputs: () => number[];
  /** Of a training, how long its first step took. */
  firstSeconds?: () => number;
}

const TASKS: Record<string, (model: BenchModel, images: Images) => Task> = {
  train: steps,
  'fgsm-train': steps,
  predict,
  cams14: (model, { pixels }) => ({
    work: () => model.logitsAndCams(pixels),
    beside: () => model.logits(pixels),
    outputs: () => [...model.logitsAndCams(pixels).logits],
  }),
  saliency14: saliency,
};

function steps(model: BenchModel, { pixels, labels }: Images): Task {
  let firstSeconds = Number.NaN;
  return {
    work: () => model.steps(pixels, labels, model.stepsAtOnce),
    batches: model.stepsAtOnce,
    outputs() {
      const start = performance.now();
      const first = model.steps(pixels, labels, 1);
      firstSeconds = (performance.now() - start) / 1000;
      return [...first, ...model.steps(pixels, labels, STEPS_COMPARED - 1)];
    },
    firstSeconds: () => firstSeconds,
  };
}

function predict(model: BenchModel, { pixels }: Images): Task {
  const work = () => model.logits(pixels);
  return { work, outputs: () => [...work()] };
}

function saliency(model: BenchModel, { pixels }: Images): Task {
  const work = () => model.saliency(pixels, ALL);
  return {
    work,
    beside: () => model.saliency(pixels, [0]),
    outputs: () => work().flatMap((gradient) => [...gradient.filter((_, place) => place % PIXELS_COMPARED === 0)]),
  };
}

function secondsOf(work: () => unknown): number {
  const start = performance.now();
  for (let calls = 1; ; calls++) {
    work();
    const seconds = (performance.now() - start) / 1000;
    if (seconds >= LEAST_SECONDS) return seconds / calls;
  }
}

/** How long `work` takes beside what it is compared with: both are called in turn, so that they see the same machine. */
function ratioOf(work: () => unknown, beside: () => unknown): number {
  const seconds = [0, 0];
  while (seconds[0]! + seconds[1]! < LEAST_SECONDS) {
    for (const [at, call] of [work, beside].entries()) {
      const start = performance.now();
      call();
      seconds[at]! += (performance.now() - start) / 1000;
    }
  }
  return seconds[0]! / seconds[1]!;
}

/** In bytes, of this process alone. */
function peakRss(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { folder: text, network: text, task: text, batch: text, precision: text, runs: text } });
const { folder, network, task } = values;
const [batch, runs] = [Number(values.batch), Number(values.runs)];

const precision = values.precision === 'bf16' ? 'bfloat16' : 'float32';
const model = benchModel(network as BenchNetwork, { method: task === 'fgsm-train' ? 'robust' : 'baseline', precision });
const { work, batches = 1, beside, outputs, firstSeconds } = TASKS[task]!(model, readImages(folder, batch));
const found = outputs();
work();
const repeat = (measured: () => number): number => medianBy(Array.from({ length: runs }, measured), (value) => value);
const secondsMedian = repeat(() => secondsOf(work) / batches);
const peakRssBytes = peakRss();
beside?.();
const line: Measurement = {
  subject: `CXR Lens ${values.precision}`,
  network,
  task,
  batch,
  secondsMedian,
  imagesPerSecond: batch / secondsMedian,
  peakRssBytes,
  runs,
  outputs: found,
  ...(firstSeconds ? { firstSeconds: firstSeconds() } : {}),
  ...(beside ? { besideSingle: repeat(() => ratioOf(work, beside)) } : {}),
};
process.stdout.write(`${JSON.stringify(line)}\n`);
model.dispose();
