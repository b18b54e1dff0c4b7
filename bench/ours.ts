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

/** Of a run: shorter calls are repeated. */
const LEAST_SECONDS = 1;
const STEPS_COMPARED = 3;
/** Every one of so many. */
const PIXELS_COMPARED = 1009;

const ALL = FINDINGS.map((_, index) => index);

interface Task {
  work: () => unknown;
  /** Of the first calls, to be compared. */
  outputs: () => number[];
}

const TASKS: Record<string, (model: BenchModel, images: Images) => Task> = {
  train: steps,
  'fgsm-train': steps,
  predict,
  logits: predict,
  cams14: (model, { pixels }) => ({
    work: () => model.logitsAndCams(pixels),
    outputs: () => [...model.logitsAndCams(pixels).logits],
  }),
  saliency14: (model, images) => saliency(model, images, ALL),
  saliency1: (model, images) => saliency(model, images, ALL.slice(0, 1)),
};

function steps(model: BenchModel, { pixels, labels }: Images): Task {
  const work = () => model.step(pixels, labels);
  return { work, outputs: () => Array.from({ length: STEPS_COMPARED }, work) };
}

function predict(model: BenchModel, { pixels }: Images): Task {
  const work = () => model.logits(pixels);
  return { work, outputs: () => [...work()] };
}

function saliency(model: BenchModel, { pixels }: Images, findings: readonly number[]): Task {
  const work = () => model.saliency(pixels, findings);
  return { work, outputs: () => work().flatMap((gradient) => [...gradient.filter((_, place) => place % PIXELS_COMPARED === 0)]) };
}

function secondsOf(work: () => unknown): number {
  const start = performance.now();
  for (let calls = 1; ; calls++) {
    work();
    const seconds = (performance.now() - start) / 1000;
    if (seconds >= LEAST_SECONDS) return seconds / calls;
  }
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
const { work, outputs } = TASKS[task]!(model, readImages(folder, batch));
const found = outputs();
work();
const times = Array.from({ length: runs }, () => secondsOf(work)).sort((a, b) => a - b);
const secondsMedian = times[Math.floor(runs / 2)]!;
const line: Measurement = {
  subject: `CXR Lens ${values.precision}`,
  network,
  task,
  batch,
  secondsMedian,
  imagesPerSecond: batch / secondsMedian,
  peakRssBytes: peakRss(),
  runs,
  outputs: found,
};
process.stdout.write(`${JSON.stringify(line)}\n`);
model.dispose();
