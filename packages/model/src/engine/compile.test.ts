import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StepGraph } from '../graph/step.ts';
import { type Compiled, compile, type Step } from './compile.ts';
import { hostScalar } from './host-array.ts';
import { tf } from './tensorflow.ts';

const cache = mkdtempSync(path.join(tmpdir(), 'cxr-lens-graphs-'));
const home = process.env['XDG_CACHE_HOME'];
beforeAll(() => {
  process.env['XDG_CACHE_HOME'] = cache;
});
afterAll(() => {
  if (home === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = home;
  rmSync(cache, { recursive: true });
});

const open: { dispose(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.dispose();
});

function variable(...values: number[]): tf.Variable {
  const made = tf.tidy(() => tf.variable(tf.tensor1d(values)));
  open.push(made);
  return made;
}

interface Only {
  step: Step;
  state?: Record<string, tf.Variable>;
  key?: unknown;
}

/** One step on `x` = [x0, x1, x2] with the output `y`. */
function compileOne({ step, state = {}, key = null }: Only): Compiled {
  const inputs = { x: { shape: [3], data: Float32Array.of(1, 2, 3) } };
  const compiled = compile({ one: { step, inputs, outputs: ['y'] } }, { state: new Map(Object.entries(state)), key });
  open.push(compiled);
  return compiled;
}

const at = (...values: number[]) => ({ x: { shape: [values.length], data: Float32Array.from(values) } });

describe('a compiled step', () => {
  it('keeps its state inside until it is pulled, and takes a new one when it is pushed', () => {
    const a = variable(1, 1, 1);
    const step: Step = ({ x }) => {
      const y = tf.mul(x!, a);
      a.assign(tf.add(a, 1));
      return { y };
    };
    const compiled = compileOne({ step, state: { a } });
    expect([...a.dataSync()]).toEqual([1, 1, 1]); // recording it has changed nothing
    expect([...compiled.run('one', at(1, 2, 3))['y']!]).toEqual([1, 2, 3]);
    expect([...compiled.run('one', at(1, 2, 3))['y']!]).toEqual([2, 4, 6]);
    expect([...a.dataSync()]).toEqual([1, 1, 1]);
    compiled.pull();
    expect([...a.dataSync()]).toEqual([3, 3, 3]);
    tf.tidy(() => a.assign(tf.tensor1d([10, 20, 30])));
    compiled.push();
    expect([...compiled.run('one', at(1, 1, 1))['y']!]).toEqual([10, 20, 30]);
  });

  it('reads a variable as it was before the step wherever the code reads it before the assignment, and after it behind', () => {
    const a = variable(1, 2, 3);
    const step: Step = ({ x }) => {
      const before = tf.mul(a, x!);
      a.assign(tf.square(a));
      return { y: tf.concat([before, a]) };
    };
    expect([...compileOne({ step, state: { a } }).run('one', at(2, 2, 2))['y']!]).toEqual([2, 4, 6, 1, 4, 9]);
  });

  it('takes bytes, which are int32 inside, and numbers', () => {
    const step: Step = ({ bytes, factor }) => ({ y: tf.mul(tf.cast(bytes!, 'float32'), factor!) });
    const inputs = { bytes: { shape: [4], data: Uint8Array.of(0, 1, 128, 255) }, factor: hostScalar(2) };
    const compiled = compile({ one: { step, inputs, outputs: ['y'] } }, { state: new Map(), key: null });
    open.push(compiled);
    expect([...compiled.run('one', inputs)['y']!]).toEqual([0, 2, 256, 510]);
  });

  it('has several steps on one state, and gradients in them', () => {
    const a = variable(1, 2, 3);
    const sum = variable(0, 0, 0);
    const inputs = at(1, 1, 1);
    const add: Step = ({ x }) => {
      const slope = tf.grad((w) => tf.sum(tf.mul(tf.square(w), x!)))(a);
      sum.assign(tf.add(sum, slope));
      return { y: tf.sum(slope) };
    };
    const descend: Step = ({ rate }) => {
      a.assign(tf.sub(a, tf.mul(sum, rate!)));
      return { y: tf.scalar(1) };
    };
    const compiled = compile(
      { add: { step: add, inputs, outputs: ['y'] }, descend: { step: descend, inputs: { rate: hostScalar(0.1) }, outputs: ['y'] } },
      { state: new Map(Object.entries({ a, sum })), key: null },
    );
    open.push(compiled);
    for (let time = 0; time < 2; time++) expect(compiled.run('add', inputs)['y']![0]).toBe(12);
    compiled.run('descend', { rate: hostScalar(0.25) });
    compiled.pull();
    expect([...a.dataSync()]).toEqual([0, 0, 0]);
  });

  it('leaves as many tensors as before', () => {
    const a = variable(1, 1, 1);
    const before = tf.memory().numTensors;
    const compiled = compileOne({ step: ({ x }) => ({ y: tf.add(a, x!) }), state: { a } });
    for (let time = 0; time < 3; time++) compiled.run('one', at(1, 2, 3));
    compiled.pull();
    compiled.push();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('what cannot be compiled', () => {
  it('is a step that decides by the numbers of a tensor', () => {
    const step: Step = ({ x }) => ({ y: tf.mul(x!, x!.dataSync()[0]!) });
    expect(() => compileOne({ step })).toThrow('A tensor [3] is read while its operations are recorded');
  });

  it('is a step that captures a large tensor, and nothing of it is left', () => {
    const captured = tf.randomUniform([5000], 0, 1, 'float32', 1);
    open.push(captured);
    expect(() => compileOne({ step: ({ x }) => ({ y: tf.add(tf.sum(captured), x!) }) })).not.toThrow(); // its sum is one number
    const before = tf.memory().numTensors;
    expect(() => compileOne({ step: ({ x }) => ({ y: tf.mul(captured, tf.sum(x!)) }) })).toThrow('taken a tensor [5000] for a constant');
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('the cache on disk', () => {
  const folders = (): string[] => readdirSync(path.join(cache, 'cxr-lens', 'graphs'));
  const never: Step = () => {
    throw new Error('executed');
  };

  it('serves a step again without executing it, by key, shapes and state', () => {
    const a = variable(2, 2, 2);
    const step: Step = ({ x }) => ({ y: tf.mul(x!, a) });
    compileOne({ step, state: { a }, key: 'k1' });
    expect([...compileOne({ step: never, state: { a }, key: 'k1' }).run('one', at(1, 2, 3))['y']!]).toEqual([2, 4, 6]);
    expect(() => compileOne({ step: never, state: { a }, key: 'k2' })).toThrow('executed');
    expect(() => compileOne({ step: never, state: { b: a }, key: 'k1' })).toThrow('executed');
    const longer = { one: { step: never, inputs: at(1, 2, 3, 4), outputs: ['y'] } };
    expect(() => compile(longer, { state: new Map([['a', a]]), key: 'k1' })).toThrow('executed');
  });

  it('keeps no graph that computes something else', () => {
    const step: Step = ({ x }) => ({ y: tf.mul(x!, 2) });
    // As if the recorded graph were wrong.
    const rewrite = (graph: StepGraph): StepGraph => ({ ...graph, outputs: { y: graph.inputs['x']! } });
    const plans = { one: { step, inputs: at(1, 2, 3), outputs: ['y'], rewrite } };
    const before = folders();
    expect(() => compile(plans, { state: new Map(), key: 'wrong' })).toThrow(
      'computes something else than the step itself: outputs 5.0e-1',
    );
    expect(folders()).toEqual(before);
  });

  it('that cannot be written is done without', () => {
    process.env['XDG_CACHE_HOME'] = path.join(import.meta.dirname, 'compile.test.ts');
    try {
      expect([...compileOne({ step: ({ x }) => ({ y: tf.square(x!) }), key: 'nowhere' }).run('one', at(1, 2, 3))['y']!]).toEqual([1, 4, 9]);
    } finally {
      process.env['XDG_CACHE_HOME'] = cache;
    }
  });

  it('makes a damaged graph anew', () => {
    const step: Step = ({ x }) => ({ y: tf.neg(x!) });
    compileOne({ step, key: 'damaged' });
    for (const folder of folders()) writeFileSync(path.join(cache, 'cxr-lens', 'graphs', folder, 'saved_model.pb'), 'nothing');
    expect(() => compileOne({ step: never, key: 'damaged' })).toThrow('executed');
    expect([...compileOne({ step, key: 'damaged' }).run('one', at(1, 2, 3))['y']!]).toEqual([-1, -2, -3]);
  });
});
