import { CxrError } from '@cxr-lens/data';
import { readOut } from './engine/read-out.ts';
import { tf } from './engine/tensorflow.ts';
import type { Evidence, Network } from './networks/network.ts';

interface WalkOptions {
  /** The finding's operating point as a logit: the walk ends below it. */
  belowLogit: number;
  /** Most steps taken. */
  steps: number;
  /** Most images of the strip, spread evenly over the walk, its ends among them; left out, one of every place. */
  frames?: number;
  /** Length of a step, in standard deviations of the code's prior. */
  stepSize?: number;
}

export interface Walk {
  /** The images decoded along the walk, the start first: [S * S] each, grey in [0, 1]. */
  strip: Float32Array[];
  /** |decoded start - decoded end|, [S * S]: what is scored like a CAM. */
  map: Float32Array;
  /** The finding's logit at each place of the walk, falling. */
  logits: number[];
}

/** A place on the walk. */
interface Place {
  /** [L]. */
  code: Float32Array;
  logit: number;
  /** Of the logit, [L]. */
  gradient: Float32Array;
}

type Walkable = Extract<Evidence, { kind: 'walk' }>;

const STEP_SIZE = 0.25;
// A walk that starts below the operating point goes on until the odds are 1 / e of what they were, so that there is always a map [ours].
const FALL = 1;
// A step that leads up, over a kink of the classifier, is halved; this often, then the walk ends.
const HALVINGS = 10;

/**
 * Generative's explanation (method.md, ours after Biffi et al. 2018): from the image's mean code along the gradient of one finding's
 * logit towards "without", until the logit is below the operating point. Batch norm by its moving averages.
 * CxrError BAD_INPUT when the network has no codes to walk through.
 * @param x [1, S, S, 1], grey in [0, 1]
 * @param finding index of the logit
 */
export function walk(
  network: Network,
  x: tf.Tensor4D,
  finding: number,
  { belowLogit, steps, frames = Infinity, stepSize = STEP_SIZE }: WalkOptions,
): Walk {
  const { evidence } = network;
  if (evidence.kind !== 'walk') {
    throw new CxrError(
      'BAD_INPUT',
      `${network.name} has no codes to walk through: expected a Generative network, ask for its CAM instead.`,
    );
  }
  const start = readOut(() => network.forward(x, 'inference').latent!.mean.dataSync<'float32'>());
  const places = [placeAt(evidence, start, finding)];
  const target = places[0]!.logit >= belowLogit ? belowLogit : places[0]!.logit - FALL;
  while (places.length <= steps && places.at(-1)!.logit >= target) {
    const next = stepDown(evidence, places.at(-1)!, { finding, stepSize });
    if (!next) break;
    places.push(next);
  }
  const strip = spread(places, frames).map(({ code }) =>
    readOut(() => evidence.decode(tf.tensor2d(code, [1, code.length])).dataSync<'float32'>()),
  );
  const end = strip.at(-1)!;
  return { strip, map: strip[0]!.map((value, i) => Math.abs(value - end[i]!)), logits: places.map(({ logit }) => logit) };
}

/** At most `count` of the items, the first and the last among them. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]!);
}

/** One step against the gradient, shorter where the whole would not lower the logit; null where none does. */
function stepDown(
  evidence: Walkable,
  { code, logit, gradient }: Place,
  { finding, stepSize }: { finding: number; stepSize: number },
): Place | null {
  const norm = Math.hypot(...gradient);
  if (norm === 0) return null;
  for (let halving = 0; halving <= HALVINGS; halving++) {
    const length = stepSize / 2 ** halving;
    const next = placeAt(
      evidence,
      code.map((value, i) => value - (length * gradient[i]!) / norm),
      finding,
    );
    if (next.logit < logit) return next;
  }
  return null;
}

function placeAt(evidence: Walkable, code: Float32Array, finding: number): Place {
  return readOut(() => {
    const logitOf = (at: tf.Tensor): tf.Tensor => tf.sum(tf.slice(evidence.classify(at as tf.Tensor2D), [0, finding], [1, 1]));
    const { value, grad } = tf.valueAndGrad(logitOf)(tf.tensor2d(code, [1, code.length]));
    return { code, logit: value.dataSync()[0]!, gradient: grad.dataSync<'float32'>() };
  });
}
