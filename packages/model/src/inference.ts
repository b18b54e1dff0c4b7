import { FINDINGS } from '@cxr-lens/data';
import { type Compiled, compile, type StepPlan } from './engine/compile.ts';
import type { HostArrays } from './engine/host-array.ts';
import { isGpu, multipliesBfloat16, tf } from './engine/tensorflow.ts';
import { toBfloat16 } from './graph/bfloat16.ts';
import { foldBatchNorm } from './graph/fold.ts';
import { needed } from './graph/graph.ts';
import { inputGradientOfNorms, shareImage } from './graph/share.ts';
import type { StepGraph } from './graph/step.ts';
import { toImages } from './images.ts';
import type { Network, Output } from './networks/network.ts';
import { fastest, keepPassSize, keptPassSize, passSizes } from './pass-size.ts';

// Findings of one pass keep memory: at 224 x 224 some 0.4 GB each while their graph is checked.
const GRADIENTS = [1, 4, 7] as const;

/** Of the sizes that are compiled, the one of the next pass: filled up where at most a quarter of it is empty, else what fills it. */
export function passSize(left: number, sizes: readonly number[]): number {
  return sizes.find((size) => size >= left && left >= 0.75 * size) ?? sizes.findLast((size) => size <= left)!;
}

/** What shows where: CAMs or patch scores, [h, w] of every finding. */
export interface Maps {
  height: number;
  width: number;
  /** [N, 14, h, w] */
  values: Float32Array;
}

/** A trained network as graphs, by batch norm's moving averages; its weights are in them and may no longer change. */
export interface Inference {
  /**
   * @param pixels [N, S, S], 0 to 255
   * @returns [N, 14]
   */
  logits(pixels: Uint8Array): Float32Array;
  /** Logits, and what shows where, in one pass; `maps` is null where that is a walk. */
  evidence(pixels: Uint8Array): { logits: Float32Array; maps: Maps | null };
  /**
   * Saliency (Simonyan et al. 2013) before any scaling: d logit / d grey pixel of one image, pixels in [0, 1].
   * @param findings indices of logits
   * @returns [S, S] for each
   */
  saliency(pixels: Uint8Array, findings: readonly number[]): Float32Array[];
  dispose(): void;
}

// Images after which it is worth seconds to know how many at once are fastest.
const ENOUGH = 320;

// A gradient jumps where rounding turns one ReLU: measured, 0.054 in one of 1,200 (small preset, 600 phantoms). A wrong graph is off by 1.
const GRADIENT_TOLERANCE = 0.3;

const open = new WeakMap<Network, Inference>();

/** The graphs of a network whose weights are final; made when they are first asked for, gone with `closeInference`. */
export function inferenceOf(network: Network): Inference {
  const known = open.get(network);
  if (known) return known;
  const made = makeInference(network);
  open.set(network, made);
  return made;
}

export function closeInference(network: Network): void {
  open.get(network)?.dispose();
  open.delete(network);
}

function makeInference(network: Network): Inference {
  const graphs = new Map<string, Compiled>();
  const side = network.inputSize;
  const area = side * side;
  let best = keptPassSize(network);
  let seen = 0;

  /** Which size is fastest, found out with the pass of that name and kept; graphs of larger ones are of no more use. */
  function measured(name: string, pass: (size: number) => void): typeof best {
    const size = fastest(new Map(passSizes().map((images) => [images, secondsOf(() => pass(images)) / images])));
    keepPassSize(network, size);
    for (const larger of passSizes().filter((images) => images > size)) {
      graphs.get(`${name}/${larger}`)?.dispose();
      graphs.delete(`${name}/${larger}`);
    }
    return { size, measured: true };
  }

  function graphOf(name: string, plan: () => StepPlan): Compiled {
    const known = graphs.get(name);
    if (known) return known;
    const frozen = new Map([...network.parameters, ...network.statistics]);
    const made = compile({ run: plan() }, { state: new Map(), frozen, key: null });
    graphs.set(name, made);
    return made;
  }

  /** What the pass gives of all images, one after another, by graphs of a few batch sizes. */
  function forImages({ name, outputs, of }: Pass, pixels: Uint8Array): Record<string, Float32Array> {
    const images = pixels.length / area;
    const run = (data: Uint8Array, size: number): Record<string, Float32Array> => {
      const inputs: HostArrays = { pixels: { shape: [size, side, side, 1], data } };
      const step: StepPlan['step'] = (tensors) => inHalves(of, tensors['pixels'] as tf.Tensor4D);
      return graphOf(`${name}/${size}`, () => ({ step, inputs, outputs, rewrite: forServing(network) })).run('run', inputs);
    };
    // Of many at once: what is asked for one image is not to wait.
    if (images >= passSizes().at(-1)!) seen += images;
    if (!best.measured && seen >= ENOUGH) best = measured(name, (size) => run(repeated(pixels, size * area), size));
    const sizes = [1, ...passSizes().filter((size) => size <= best.size)];
    const parts: Record<string, Float32Array>[] = [];
    for (let start = 0; start < images; ) {
      const left = images - start;
      const size = passSize(left, sizes);
      const count = Math.min(size, left);
      const data = new Uint8Array(size * area);
      data.set(pixels.subarray(start * area, (start + count) * area));
      const found = run(data, size);
      const filled = (values: Float32Array): Float32Array => values.subarray(0, (values.length / size) * count);
      parts.push(Object.fromEntries(Object.entries(found).map(([output, values]) => [output, filled(values)])));
      start += count;
    }
    return Object.fromEntries(outputs.map((output) => [output, joined(parts.map((part) => part[output]!))]));
  }

  const forward = (pixels: tf.Tensor4D): Output => network.forward(toImages(pixels), 'inference');
  const logitsOnly: Pass = { name: 'logits', outputs: ['logits'], of: (x) => ({ logits: forward(x).logits }) };
  const evidence: Pass = {
    name: 'evidence',
    outputs: ['logits', 'maps'],
    of(x) {
      const output = forward(x);
      return { logits: output.logits, maps: mapsOf(network, output) };
    },
  };

  return {
    logits: (pixels) => forImages(logitsOnly, pixels)['logits']!,

    evidence(pixels) {
      if (network.evidence.kind === 'walk') return { logits: this.logits(pixels), maps: null };
      const { logits, maps } = forImages(evidence, pixels);
      const [height, width] = network.featureShape;
      return { logits: logits!, maps: { height, width, values: maps! } };
    },

    saliency(pixels, findings) {
      const gradients: Float32Array[] = [];
      for (let start = 0; start < findings.length; ) {
        const left = findings.length - start;
        const size = passSize(left, GRADIENTS);
        const part = findings.slice(start, start + size);
        const chosen = new Uint8Array(size * FINDINGS.length);
        for (const [slot, finding] of part.entries()) chosen[slot * FINDINGS.length + finding] = 1;
        const inputs: HostArrays = {
          pixels: { shape: [1, side, side, 1], data: pixels },
          chosen: { shape: [size, FINDINGS.length], data: chosen },
        };
        const plan = (): StepPlan => ({
          step: gradientStep(network),
          inputs,
          outputs: ['gradients'],
          outputTolerance: GRADIENT_TOLERANCE,
          rewrite: forGradients,
        });
        const values = graphOf(`saliency/${size}`, plan).run('run', inputs)['gradients']!;
        for (const [slot] of part.entries()) gradients.push(values.slice(slot * area, (slot + 1) * area));
        start += part.length;
      }
      return gradients;
    },

    dispose() {
      for (const graph of graphs.values()) graph.dispose();
      graphs.clear();
    },
  };
}

/** What is computed of a batch of images. */
interface Pass {
  name: string;
  outputs: readonly string[];
  /** @param x pixels, [B, S, S, 1], 0 to 255 */
  of(x: tf.Tensor4D): Record<string, tf.Tensor>;
}

/** On a CPU the two halves of a batch run beside each other: while one waits for its threads the other has work for them. */
function inHalves(of: Pass['of'], x: tf.Tensor4D): Record<string, tf.Tensor> {
  if (x.shape[0] % 2 === 1 || isGpu()) return of(x);
  const [first, second] = (tf.split(x, 2) as tf.Tensor4D[]).map(of) as [Record<string, tf.Tensor>, Record<string, tf.Tensor>];
  return Object.fromEntries(Object.entries(first).map(([name, half]) => [name, tf.concat([half, second[name]!])]));
}

/** The least of three calls after a first one. */
function secondsOf(call: () => void): number {
  call();
  const times = Array.from({ length: 3 }, () => {
    const start = performance.now();
    call();
    return (performance.now() - start) / 1000;
  });
  return Math.min(...times);
}

/** As many bytes, from the first on again and again. */
function repeated(bytes: Uint8Array, length: number): Uint8Array {
  const all = new Uint8Array(length);
  for (let start = 0; start < length; start += bytes.length) all.set(bytes.subarray(0, length - start), start);
  return all;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** [B, 14, h, w]: the head applied to the features before they are pooled (its bias left out), or the patches' scores. */
function mapsOf({ evidence }: Network, { features, patches }: Output): tf.Tensor {
  if (evidence.kind === 'patches') return tf.transpose(tf.sigmoid(patches!), [0, 3, 1, 2]);
  if (evidence.kind === 'walk') throw new Error('a walk has no maps');
  const [images, height, width, channels] = features.shape;
  const maps = tf.matMul(tf.reshape(features, [images * height * width, channels]), evidence.headWeights());
  return tf.transpose(tf.reshape(maps, [images, height, width, FINDINGS.length]), [0, 3, 1, 2]);
}

function gradientStep(network: Network): StepPlan['step'] {
  return ({ pixels, chosen }) => {
    const x = toImages(pixels as tf.Tensor4D);
    const repeated = tf.tile(x, [chosen!.shape[0]!, 1, 1, 1]);
    const own = tf.cast(chosen!, 'float32');
    // Images of a batch do not see each other in inference mode, so the sum's gradient is each one's own.
    const sum = (input: tf.Tensor): tf.Scalar => tf.sum(tf.mul(network.forward(input as tf.Tensor4D, 'inference').logits, own));
    return { gradients: tf.grad(sum)(repeated) };
  };
}

function forServing({ precision }: Network): (graph: StepGraph) => StepGraph {
  const low = precision === 'bfloat16' && multipliesBfloat16();
  return (graph) => {
    const outputs = Object.values(graph.outputs);
    const slim = { ...graph, operations: needed(foldBatchNorm(graph.operations, new Set(outputs)), outputs) };
    return low ? toBfloat16(slim, { native: true }) : slim;
  };
}

function forGradients(graph: StepGraph): StepGraph {
  const outputs = Object.values(graph.outputs);
  const repeated = graph.operations.find(({ type }) => type === 'Tile');
  const slim = inputGradientOfNorms(graph.operations);
  const shared = repeated ? shareImage(slim, repeated.inputs[0]!) : slim;
  return { ...graph, operations: needed(shared, outputs) };
}
