import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { needed, type Operation, type Value } from '../graph/graph.ts';
import { record } from '../graph/record.ts';
import { nameIn, repeated } from '../graph/repeat.ts';
import { encodeSteps, NODES, type StepGraph } from '../graph/step.ts';
import { checkStep, type Values } from './check-step.ts';
import { graphFolder, hasGraphs, keepGraphs } from './graph-cache.ts';
import { type HostArrays, toTensors } from './host-array.ts';
import { openSession, type Session } from './session.ts';
import { tf } from './tensorflow.ts';

/** A piece of computation on tensors, which may assign variables. It reads no tensor's numbers. */
export type Step = (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>;

type State = ReadonlyMap<string, tf.Variable>;

/** A step with arrays of the shapes that it will be called with; the outputs by name. */
export interface StepPlan {
  step: Step;
  inputs: HostArrays;
  outputs: readonly string[];
  /** Turns what was recorded into what computes the same with less; the key must tell of it. */
  rewrite?: (graph: StepGraph) => StepGraph;
  /** How far the change of the state may be off at the check, relative; left out, as far as rounding to float32 leads. */
  tolerance?: number;
  /** The same of the outputs. */
  outputTolerance?: number;
  /** How many times `runAll` takes it in one call of TensorFlow; left out, once. */
  atOnce?: number | undefined;
}

export interface Compiled {
  /** One call of a step, on the state as it is inside. The inputs' names and shapes are the plan's. */
  run(step: string, inputs: HostArrays): Values;
  /** The step on one set of inputs after another, `atOnce` of them in a call while there are so many. */
  runAll(step: string, inputs: readonly HostArrays[]): Values[];
  /** The variables' values into the graphs. */
  push(): void;
  /** The graphs' state into the variables. */
  pull(): void;
  dispose(): void;
}

interface CompileOptions {
  /** What the steps may assign or read without being told of it as a constant. */
  state: State;
  /** What they read as it is now and never changes again: constants under these names. */
  frozen?: State;
  /** All that decides what the steps compute but their inputs and the state, for the cache on disk; null keeps nothing. */
  key: unknown;
}

/**
 * Turns steps into graphs of TensorFlow that run as one call each and keep the state inside: each is executed once, operation by
 * operation, recorded, and checked against what it gave. Graphs that this machine has made before are loaded instead.
 * What is a number of JavaScript in a step is written down for good; what changes from call to call must be an input.
 * CxrError UNSUPPORTED where a step reads a tensor, INTERNAL where the graph computes something else.
 */
export function compile(plans: Readonly<Record<string, StepPlan>>, { state, frozen = new Map(), key }: CompileOptions): Compiled {
  const shapes = Object.entries(plans).map(([name, { inputs, outputs, atOnce }]) => [
    name,
    outputs,
    atOnce,
    Object.entries(inputs).map(([input, { shape, data }]) => [input, shape, data.constructor.name]),
  ]);
  const folder = key === null ? null : graphFolder([key, shapes, [...state].map(([name, { shape }]) => [name, shape])]);
  if (folder !== null && hasGraphs(folder)) return opened(openSession(folder), plans, state);
  const temporary = mkdtempSync(path.join(tmpdir(), 'cxr-lens-graph-'));
  let bytes: Uint8Array | null = null;
  const write = (encoded: Uint8Array): string => {
    bytes = encoded;
    writeFileSync(path.join(temporary, 'saved_model.pb'), encoded);
    return temporary;
  };
  try {
    const compiled = recorded(plans, { state, frozen }, write);
    // Only what has stood the check is there the next time.
    if (folder !== null && bytes) keepGraphs(folder, bytes);
    return compiled;
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** The graph of several calls of a step. */
const together = (step: string): string => `${step}.together`;

function opened(session: Session, plans: Readonly<Record<string, StepPlan>>, state: State): Compiled {
  function call(name: string, inputs: HostArrays, outputs: readonly string[]): Values {
    const feeds = Object.entries(inputs).map(([input, array]) => [NODES.input(name, input), array] as const);
    const values = session.run(
      feeds,
      outputs.map((output) => NODES.output(name, output)),
    );
    return Object.fromEntries(outputs.map((output, index) => [output, values[index]!]));
  }

  const compiled: Compiled = {
    run: (name, inputs) => call(name, inputs, plans[name]!.outputs),
    runAll(name, all) {
      const { outputs, atOnce = 1 } = plans[name]!;
      const found: Values[] = [];
      while (found.length < all.length) {
        const next = all.slice(found.length, found.length + atOnce);
        if (atOnce === 1 || next.length < atOnce) {
          found.push(...next.map((inputs) => compiled.run(name, inputs)));
          continue;
        }
        const given = next.flatMap((inputs, step) => Object.entries(inputs).map(([input, array]) => [nameIn(step, input), array] as const));
        const asked = next.flatMap((_, step) => outputs.map((output) => nameIn(step, output)));
        const values = call(together(name), Object.fromEntries(given), asked);
        found.push(...next.map((_, step) => Object.fromEntries(outputs.map((output) => [output, values[nameIn(step, output)]!]))));
      }
      return found;
    },
    push() {
      const feeds = [...state].map(([name, variable]) => [NODES.given(name), variable] as const);
      tf.dispose(session.exchange(feeds, [NODES.allSet]));
    },
    pull() {
      const names = [...state.keys()];
      if (names.length === 0) return;
      const values = session.exchange([], names.map(NODES.kept));
      for (const [index, name] of names.entries()) state.get(name)!.assign(values[index]!);
      tf.dispose(values);
    },
    dispose: () => session.close(),
  };
  compiled.push();
  return compiled;
}

/** Records the steps, has the graphs written, and checks that they compute the same. */
function recorded(
  plans: Readonly<Record<string, StepPlan>>,
  { state, frozen }: { state: State; frozen: State },
  write: (bytes: Uint8Array) => string,
): Compiled {
  const before = new Map([...state].map(([name, variable]) => [name, tf.clone(variable)]));
  const restore = (): void => {
    for (const [name, variable] of state) variable.assign(before.get(name)!);
  };
  const found: Record<string, Recorded> = {};
  try {
    for (const [name, plan] of Object.entries(plans)) {
      found[name] = recordStep(plan, state, frozen);
      restore();
    }
    const graphs = Object.fromEntries(
      Object.entries(found).flatMap(([name, { graph }]) => {
        const { atOnce = 1 } = plans[name]!;
        return [[name, graph], ...(atOnce > 1 ? [[together(name), repeated(graph, atOnce)]] : [])];
      }),
    );
    const variables = Object.fromEntries([...state].map(([name, { shape }]) => [name, { dtype: 'float32' as const, shape }]));
    const folder = write(encodeSteps(graphs, variables));
    const compiled = opened(openSession(folder), plans, state);
    try {
      const start = valuesOf(state);
      for (const [name, { inputs, tolerance, outputTolerance }] of Object.entries(plans)) {
        const given = compiled.run(name, inputs);
        compiled.pull();
        checkStep(name, {
          outputs: [given, found[name]!.outputs],
          state: [valuesOf(state), found[name]!.state],
          before: start,
          tolerance,
          outputTolerance,
        });
        restore();
        compiled.push();
        checkTogether(name, plans[name]!, { compiled, state, restore });
      }
      return compiled;
    } catch (error) {
      compiled.dispose();
      throw error;
    }
  } finally {
    restore();
    tf.dispose([...before.values()]);
  }
}

interface Checking {
  compiled: Compiled;
  state: State;
  /** Sets the variables to where they began. */
  restore: () => void;
}

/** Several calls as one give what they give one by one. */
function checkTogether(name: string, { inputs, atOnce = 1, tolerance }: StepPlan, { compiled, state, restore }: Checking): void {
  if (atOnce === 1) return;
  const all = Array.from({ length: atOnce }, () => inputs);
  const before = valuesOf(state);
  const [together, single] = [() => compiled.runAll(name, all), () => all.map((each) => compiled.run(name, each))].map((take) => {
    const outputs = take().map((values, step) =>
      Object.entries(values).map(([output, numbers]) => [nameIn(step, output), numbers] as const),
    );
    compiled.pull();
    const after = { outputs: Object.fromEntries(outputs.flat()), state: valuesOf(state) };
    restore();
    compiled.push();
    return after;
  });
  const pair = <K extends 'outputs' | 'state'>(what: K) => [together![what], single![what]] as const;
  checkStep(`${name}, ${atOnce} at once,`, { outputs: pair('outputs'), state: pair('state'), before, tolerance });
}

interface Recorded {
  graph: StepGraph;
  outputs: Values;
  state: Values;
}

function valuesOf(state: State): Values {
  return Object.fromEntries([...state].map(([name, variable]) => [name, Float32Array.from(variable.dataSync<'float32'>())]));
}

function recordStep({ step, inputs: arrays, outputs: names, rewrite = (graph) => graph }: StepPlan, state: State, frozen: State): Recorded {
  const out: Recorded[] = [];
  tf.tidy(() => {
    const given = toTensors(arrays);
    const held = new Map([...state].map(([name, variable]) => [name, tf.clone(variable)]));
    const inputs = { ...prefixed('in/', Object.entries(given)), ...prefixed('state/', held) };
    let outputs: Record<string, tf.Tensor> = {};
    const recording = record({ inputs, named: frozen, ...(frozen.size === 0 ? { foldUpTo: LARGE } : {}) }, () => {
      outputs = step(given);
      const changed = [...state].filter(([name, variable]) => variable.dataId !== held.get(name)!.dataId);
      return { ...prefixed('out/', Object.entries(outputs)), ...prefixed('state/', changed) };
    });
    const values = recording.values;
    const at = (places: Record<string, number>, prefix: string): Record<string, Value> =>
      Object.fromEntries(
        Object.entries(places).flatMap(([name, place]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), values[place]!]] : [])),
      );
    const all = recording.calls.map(
      ({ type, attributes, inputs: from, outputs: to }): Operation => ({
        type,
        attributes,
        inputs: from.map((place) => values[place]!),
        outputs: to.map((place) => values[place]!),
      }),
    );
    const kept = Object.values(recording.outputs).map((place) => values[place]!);
    const operations = needed(all, kept);
    const used = new Set(operations.flatMap((operation) => operation.inputs).concat(kept));
    if (frozen.size === 0) for (const { shape, constant } of used) if (constant) refuseLarge(shape, constant.data);
    const reads = Object.entries(at(recording.inputs, 'state/')).filter(([, value]) => used.has(value));
    const graph = rewrite({
      ...bytesIn(at(recording.inputs, 'in/'), operations, arrays),
      reads: Object.fromEntries(reads),
      writes: at(recording.outputs, 'state/'),
      outputs: at(recording.outputs, 'out/'),
    });
    out.push({
      graph,
      outputs: Object.fromEntries(names.map((name) => [name, Float32Array.from(outputs[name]!.dataSync<'float32'>())])),
      state: valuesOf(state),
    });
  });
  return out[0]!;
}

function prefixed(prefix: string, entries: Iterable<readonly [string, tf.Tensor]>): Record<string, tf.Tensor> {
  return Object.fromEntries([...entries].map(([name, tensor]) => [`${prefix}${name}`, tensor]));
}

/** Arrays of bytes enter the graph as bytes and become int32 inside. */
function bytesIn(
  inputs: Record<string, Value>,
  operations: readonly Operation[],
  arrays: HostArrays,
): Pick<StepGraph, 'inputs' | 'operations'> {
  const casts: Operation[] = [];
  const entries = Object.entries(inputs).map(([name, value]) => {
    if (!(arrays[name]!.data instanceof Uint8Array)) return [name, value] as const;
    const bytes: Value = { dtype: 'uint8', shape: value.shape, constant: null };
    const attributes = { SrcT: { kind: 'type', value: 4 }, DstT: { kind: 'type', value: 3 } } as const;
    casts.push({ type: 'Cast', attributes, inputs: [bytes], outputs: [value] });
    return [name, bytes] as const;
  });
  return { inputs: Object.fromEntries(entries), operations: [...casts, ...operations] };
}

// More numbers than any code of ours writes down: what is larger was meant to be an input.
const LARGE = 4096;

function refuseLarge(shape: readonly number[], data: ArrayLike<number>): void {
  if (data.length <= LARGE) return;
  for (let i = 1; i < data.length; i++) {
    if (!Object.is(data[i], data[0])) {
      throw new CxrError('INTERNAL', `A step has taken a tensor [${shape.join(', ')}] for a constant; make it an input.`);
    }
  }
}
