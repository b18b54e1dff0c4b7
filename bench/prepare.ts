/**
 * What `prepare` costs beside decoding: N grey PNGs of 1024 x 1024 into a file at 224, in turn with sharp alone, which decodes and shrinks
 * the same files and keeps nothing. Synthetic, seeded images of the length of NIH's.
 *
 *   npx tsx bench/prepare.ts [--images 1000]
 *
 * One JSON line a subject, the median of three runs, each in a process of its own; then the ratio to the fastest sharp, of wall time and of
 * CPU time (which says more on a busy machine). Exit code 1: the prepared pixels are not sharp's.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { openPrepared, prepare, readNih } from '@cxr-lens/data';
import sharp from 'sharp';
import { tsx } from './measure.ts';
import { medianBy } from './median.ts';
import { jsonLines, runToEnd } from './process.ts';
import { writeRadiographs } from './radiographs.ts';

const SIZE = 224;
const RUNS = 3;
const TARGET = 1.2;
/** Every split has some. */
const LEAST_IMAGES = 20;
const LIMIT_MS = 30 * 60_000;
const CORES = availableParallelism();

/** How sharp alone is run: which is fastest depends on the machine. */
interface Settings {
  /** Images at a time. */
  atOnce: number;
  /** libvips' own, an image. */
  threads: number;
}

const PEERS: readonly Settings[] = [
  { atOnce: CORES, threads: 1 },
  { atOnce: CORES + 2, threads: 1 },
  { atOnce: CORES, threads: CORES },
];

/** What one process found. */
interface Run {
  seconds: number;
  /** Of all threads. */
  cpuSeconds: number;
  peakRssBytes: number;
  /** CRC32 of each image's pixels. */
  pixels: number[];
}

async function timed(work: () => Promise<number[]>): Promise<Run> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const pixels = await work();
  const [seconds, { user, system }] = [(performance.now() - start) / 1000, process.cpuUsage(before)];
  return { seconds, cpuSeconds: (user + system) / 1e6, peakRssBytes: process.resourceUsage().maxRSS * 1024, pixels };
}

async function prepared(folder: string): Promise<number[]> {
  await prepare({ folder, out: path.join(folder, 'prepared.cxr'), size: SIZE });
  return [];
}

/** The pixels are taken where `prepared` left them: looking at them is no part of its time. */
async function preparedPixels(folder: string): Promise<number[]> {
  const data = await openPrepared(path.join(folder, 'prepared.cxr'));
  const pixels = data.images.map((_, index) => crc32(data.pixels(index)));
  data.close();
  return pixels;
}

async function sharpAlone(files: readonly string[], { atOnce, threads }: Settings): Promise<number[]> {
  sharp.concurrency(threads);
  const pixels: number[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < files.length) {
      const index = next++;
      const shrunk = sharp(files[index]!).greyscale().resize(SIZE, SIZE, { fit: 'fill', kernel: 'lanczos3' }).raw();
      pixels[index] = crc32(await shrunk.toBuffer());
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return pixels;
}

/** One run in a process of its own, with as many threads of libuv as `cxr-lens` has. */
async function run(args: Record<string, string | number>): Promise<Run> {
  const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const env = { UV_THREADPOOL_SIZE: `${Math.max(4, CORES)}` };
  const { output, complaint } = await runToEnd(tsx('prepare.ts', flags), { env, limitMs: LIMIT_MS });
  const [found] = jsonLines<Run>(output);
  if (!found) throw new Error(`${args['subject']}: ${complaint}`);
  return found;
}

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const say = (text: string): void => void process.stderr.write(`prepare: ${text}\n`);

async function measure(images: number): Promise<void> {
  if (!(Number.isInteger(images) && images >= LEAST_IMAGES)) throw new Error(`--images: expected a whole number from ${LEAST_IMAGES}.`);
  const folder = await mkdtemp(path.join(tmpdir(), 'cxr-lens-bench-'));
  try {
    say(`drawing ${images} images`);
    await writeRadiographs(folder, images);
    const peers = PEERS.map((settings) => ({
      name: `sharp ${sharp.versions.sharp}, ${settings.atOnce} at once, threads of each: ${settings.threads}`,
      args: { subject: 'sharp', folder, ...settings },
      runs: [] as Run[],
    }));
    const ours = { name: 'CXR Lens', args: { subject: 'ours', folder }, runs: [] as Run[] };
    for (let round = 1; round <= RUNS; round++) {
      for (const { name, args, runs } of [ours, ...peers]) {
        const found = await run(args);
        say(`round ${round}, ${name}: ${found.seconds.toFixed(2)} s, ${found.cpuSeconds.toFixed(2)} s of CPU`);
        runs.push(found);
      }
    }
    for (const { name: subject, runs } of [ours, ...peers]) {
      const secondsMedian = medianOf(runs, 'seconds');
      const peakRssBytes = Math.max(...runs.map((one) => one.peakRssBytes));
      print({ subject, task: 'prepare', secondsMedian, imagesPerSecond: images / secondsMedian, peakRssBytes, runs: RUNS });
    }
    const least = (key: Time): number => Math.min(...peers.map(({ runs }) => medianOf(runs, key)));
    const [ratio, cpuRatio] = (['seconds', 'cpuSeconds'] as const).map((key) => medianOf(ours.runs, key) / least(key));
    const samePixels = peers.every(({ runs }) => `${runs[0]!.pixels}` === `${ours.runs[0]!.pixels}`);
    print({ what: "prepare's share of sharp alone", ratio, cpuRatio, target: TARGET, reached: ratio! <= TARGET, samePixels });
    if (!samePixels) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Time = 'seconds' | 'cpuSeconds';

function medianOf(runs: readonly Run[], key: Time): number {
  return medianBy(runs, (one) => one[key])[key];
}

const number = { type: 'string', default: '1000' } as const;
const { values } = parseArgs({
  options: { images: number, subject: { type: 'string' }, folder: { type: 'string' }, atOnce: number, threads: number },
});
const { subject, folder = '' } = values;
const [images, atOnce, threads] = [Number(values.images), Number(values.atOnce), Number(values.threads)];
if (subject === 'ours') {
  const found = await timed(() => prepared(folder));
  print({ ...found, pixels: await preparedPixels(folder) });
} else if (subject === 'sharp') {
  const files = (await readNih(folder)).images.map(({ file }) => file);
  print(await timed(() => sharpAlone(files, { atOnce, threads })));
} else await measure(images);
