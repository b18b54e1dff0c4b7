import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { answers, freePort } from './port.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/cxr-lens.mjs');
const home = mkdtempSync(path.join(tmpdir(), 'cxr-lens-demo-'));
const { DATABASE_URL: _, ...env } = process.env;
const started: ChildProcess[] = [];

interface Demo {
  process: ChildProcess;
  output: () => string;
  saw: (text: string) => Promise<void>;
  exit: Promise<number | null>;
}

function demo(port: number): Demo {
  const child = spawn(process.execPath, [BIN, 'demo', '--size', 'small', '--port', String(port)], {
    env: { ...env, CXR_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  started.push(child);
  let text = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      for (const listener of listeners) listener();
    });
  }
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const saw = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => void (text.includes(wanted) && resolve());
      listeners.add(look);
      look();
      void exit.then(() => reject(new Error(`the demo ended before it said "${wanted}":\n${text}`)));
    });
  return { process: child, output: () => text, saw, exit };
}

/** Processes that were started for this demo: its home stands in their environment. */
function leftovers(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return environment.includes(`CXR_HOME=${home}`) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')] : [];
      } catch {
        return [];
      }
    })
    .filter((command) => command !== '');
}

async function nothingIsLeft(): Promise<void> {
  for (let second = 0; second < 40 && leftovers().length > 0; second++) await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(leftovers()).toEqual([]);
}

async function graphql<T>(port: number, query: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
}

const historyOf = (run: string): unknown[] =>
  (JSON.parse(readFileSync(path.join(home, 'runs', `demo-${run}`, 'run.json'), 'utf8')) as { epochs: unknown[] }).epochs;

// Named: what has trained for two epochs may have a loss that exploded, and is then in use for no upload.
const RUNS = ['baseline', 'robust', 'chexnet', 'nih-star'].map((method) => `"demo-${method}"`).join(', ');

describe('npm run demo', () => {
  afterAll(async () => {
    // after a failure one may still run; kill -9 takes its children with it, and the database after some seconds
    for (const child of started) child.kill('SIGKILL');
    await nothingIsLeft();
    rmSync(home, { recursive: true, force: true });
  });

  it('opens its pages first, goes on after kill -9, serves four measured runs, stops everything, and starts again without training', async () => {
    const port = await freePort();
    for (const step of ['Drawing phantoms', 'Baseline, epoch 1']) {
      const killed = demo(port);
      await killed.saw(step);
      await new Promise((resolve) => setTimeout(resolve, 2000));
      killed.process.kill('SIGKILL');
      await killed.exit;
      await nothingIsLeft();
    }

    const second = demo(port);
    await second.saw('CXR Lens is open');
    expect(await answers(`http://127.0.0.1:${port}/runs`, AbortSignal.timeout(10_000), 10_000)).toBe(true);
    await second.saw('CXR Lens is ready');
    expect(second.output()).not.toContain('synthetic radiographs');
    expect(second.output()).toMatch(/Training CheXNet .*: \d+ s; ended by its cap of 2 epochs, so that it might have got better/);
    const { runs } = await graphql<{ runs: { edges: { node: { id: string; meanAuc: number }[] }[] } }>(
      port,
      '{ runs(first: 10) { edges { node { id state evaluations { meanAuc localization { points { accuracy } } } } } } }',
    );
    expect(runs.edges).toHaveLength(4);
    const { comparisons } = await graphql<{
      comparisons: { finding: { boxed: boolean }; runs: { curve: { points: unknown[] } | null }[] }[];
    }>(
      port,
      `{ comparisons(runs: [${RUNS}]) { finding { name boxed } runs { run { id } curve { points { accuracy low high } } } controls { kind } } }`,
    );
    expect(comparisons).toHaveLength(14);
    for (const { finding, runs: compared } of comparisons) {
      expect(compared).toHaveLength(4);
      if (finding.boxed) expect(compared.every(({ curve }) => curve?.points.length === 7)).toBe(true);
    }
    await explained(port);
    const epochs = ['baseline', 'robust', 'chexnet', 'nih-star'].map(historyOf);
    second.process.kill('SIGINT');
    expect(await second.exit).toBe(0);
    await nothingIsLeft();

    const third = demo(port);
    await third.saw('CXR Lens is ready');
    expect(third.output()).not.toContain('Training');
    expect(['baseline', 'robust', 'chexnet', 'nih-star'].map(historyOf)).toEqual(epochs);
    expect(await answers(`http://127.0.0.1:${port}/studies`, AbortSignal.timeout(10_000), 10_000)).toBe(true);
    third.process.kill('SIGINT');
    expect(await third.exit).toBe(0);
  });
});

/** Every example study has its explanations by all four runs as they were measured. */
async function explained(port: number): Promise<void> {
  const query =
    '{ studies(first: 20) { edges { node { images { boxes { finding { name } } explanations { run { id } camThreshold finding { boxed } } } } } } }';
  interface Explained {
    run: { id: string };
    camThreshold: number | null;
    finding: { boxed: boolean };
  }
  const { studies } = await graphql<{
    studies: { edges: { node: { images: { boxes: unknown[]; explanations: Explained[] }[] } }[] };
  }>(port, query);
  const images = studies.edges.flatMap(({ node }) => node.images);
  expect(images).toHaveLength(8);
  for (const { boxes, explanations } of images) {
    expect(boxes).not.toEqual([]);
    expect(new Set(explanations.map(({ run }) => run.id)).size).toBe(4);
    // by the card that the evaluation has written, not by the one before
    expect(explanations.filter(({ finding, camThreshold }) => finding.boxed && camThreshold === null)).toEqual([]);
  }
}
