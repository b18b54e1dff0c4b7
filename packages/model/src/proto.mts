import { objectiveOf } from './methods.ts';
import { networkOf } from './networks/build.ts';
import { optimiserOf } from './optimiser.ts';
import { defaultOptions } from './spec/index.ts';
import { compiledStepper, eagerStepper } from './step.ts';
import { noiseArrays } from './testing.ts';

const method = (process.argv[2] ?? 'baseline') as 'baseline';
const preset = (process.argv[3] ?? 'small') as 'small';
const size = Number(process.argv[4] ?? 32);
const times = Number(process.argv[5] ?? 8);
const which = (process.argv[6] ?? 'eager,compiled').split(',');
const { METHODS } = await import('./spec/index.ts');
const options = { ...defaultOptions(method) };
const out: Record<string, number[]> = {};
for (const kind of which) {
  const network = networkOf(METHODS[method].network as never, { ...options, preset, mean: 0.5, std: 0.29, seed: 7 });
  const optimiser = optimiserOf(network, options);
  const parts = { network, optimiser, objective: objectiveOf(method, options), options };
  const stepper = kind === 'eager' ? eagerStepper(parts) : compiledStepper(parts, method);
  const ts: number[] = [];
  out[kind] = [];
  for (let i = 0; i < times; i++) {
    const arrays = noiseArrays(network, { size, seed: i, options });
    const t = performance.now();
    out[kind].push(stepper.take([arrays], { learningRate: options.learningRate, step: i + 1 }));
    ts.push(performance.now() - t);
  }
  console.log(
    kind,
    'first',
    ts[0]!.toFixed(0),
    'second',
    ts[1]?.toFixed(0),
    'median',
    ts
      .slice(2)
      .sort((a, b) => a - b)
      [Math.floor((times - 2) / 2)]?.toFixed(1),
    'rss',
    (process.memoryUsage().rss / 2 ** 20).toFixed(0),
  );
  stepper.dispose();
  network.dispose();
  optimiser.dispose();
}
console.log(JSON.stringify(out));
