import { objectiveOf } from './methods.ts';
import { networkOf } from './networks/build.ts';
import { optimiserOf } from './optimiser.ts';
import { METHODS, parseTrainOptions } from './spec/index.ts';
import { compiledStepper, eagerStepper } from './step.ts';
import { noiseArrays } from './testing.ts';

const [method = 'baseline', preset = 'small', size = '32', times = '8', which = 'eager,float32,bfloat16'] = process.argv.slice(2);
const out: Record<string, number[]> = {};
for (const kind of which.split(',')) {
  const options = parseTrainOptions(method as never, kind === 'bfloat16' ? { precision: kind } : {});
  const network = networkOf(METHODS[method as never]['network'] as never, {
    ...options,
    preset: preset as never,
    mean: 0.5,
    std: 0.29,
    seed: 7,
  });
  const optimiser = optimiserOf(network, options);
  const parts = { network, optimiser, objective: objectiveOf(method as never, options), options };
  const stepper = kind === 'eager' ? eagerStepper(parts) : compiledStepper(parts, method as never);
  const ts: number[] = [];
  out[kind] = [];
  for (let i = 0; i < +times; i++) {
    const arrays = noiseArrays(network, { size: +size, seed: i, options });
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
      [Math.floor((+times - 2) / 2)]?.toFixed(1),
    'rss',
    (process.memoryUsage().rss / 2 ** 20).toFixed(0),
  );
  stepper.dispose();
  network.dispose();
  optimiser.dispose();
}
console.log(JSON.stringify(out));
