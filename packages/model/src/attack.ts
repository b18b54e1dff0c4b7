import { random } from '@cxr-lens/data';
import { type HostArray, toTensor } from './engine/host-array.ts';
import { tf } from './engine/tensorflow.ts';
import type { Threat } from './threats/threat.ts';

/**
 * The loss of each image, [B], of images [B, S, S, 1] in [0, 1]. Batch norm's mode belongs to it: with the batch's own statistics an
 * image's loss depends on the other images too, and the worst image by image is not exactly the worst batch.
 */
export type Losses = (x: tf.Tensor4D) => tf.Tensor1D;

export interface StartOptions {
  /** Where the first candidate starts; the others are drawn at random. */
  start: 'image' | 'random';
  /** Starts of each image, of which the one with the greatest loss is kept (worst of k, Engstrom et al. 2019). */
  candidates: number;
  /** Of the random starts: the same seed, the same attack. */
  seed: number | string;
}

interface ClimbOptions {
  /** Steps up the gradient from each start; 0 only tries the starts. */
  steps: number;
  /**
   * `last`: a start is worth its last step's image, as training takes it; with one candidate no loss is computed to choose. `worst`: of a
   * start and all its steps the image with the greatest loss, and of one full first step too: from the image that is FGSM, so that no
   * number of steps is weaker than it. Costs two more forward passes a candidate.
   */
  keep: 'last' | 'worst';
}

export type AttackOptions = StartOptions & ClimbOptions;

/** What the threat has drawn for each candidate; null starts at the image. */
export function drawStarts(threat: Threat, shape: tf.Tensor4D['shape'], { start, candidates, seed }: StartOptions): (HostArray[] | null)[] {
  const draw = random(seed);
  return Array.from({ length: candidates }, (_, candidate) => (candidate === 0 && start === 'image' ? null : threat.draw(shape, draw)));
}

/** The attack from starts that a seed draws. */
export function seededAttack(losses: Losses, x: tf.Tensor4D, threat: Threat, options: AttackOptions): tf.Tensor4D {
  return tf.tidy(() => {
    const starts = drawStarts(threat, x.shape, options).map((drawn) => drawn?.map(toTensor) ?? null);
    return attack(losses, x, threat, { ...options, starts });
  });
}

// Madry et al. 2018: steps of 2.5 epsilon / steps can reach the border and come back.
const REACH = 2.5;

interface Visited<State extends tf.Tensor> {
  state: State;
  /** [B]; left out where nothing has computed it yet. */
  losses?: tf.Tensor1D;
}

/**
 * The inner maximisation of Eq. 2: images that the threat allows and that raise the loss. One step from the image is FGSM (Eq. 3), more
 * are PGD (Madry et al. 2018), none from many random starts is worst of k.
 * @param x [B, S, S, 1], grey in [0, 1]
 * @returns [B, S, S, 1], in [0, 1]
 */
export function attack<State extends tf.Tensor>(
  losses: Losses,
  x: tf.Tensor4D,
  threat: Threat<State>,
  { steps, keep, starts }: ClimbOptions & { starts: readonly (readonly tf.Tensor[] | null)[] },
): tf.Tensor4D {
  const share = steps === 1 ? 1 : REACH / steps;
  const lossesAt = (state: State): tf.Tensor1D => losses(threat.apply(state, x));

  /** From one start, the states among which the worst is looked for. */
  function climb(from: State): Visited<State>[] {
    const visited: Visited<State>[] = [];
    let state = from;
    for (let step = 0; step < steps; step++) {
      const here = state;
      const slope = tf.tidy(() => lossesAndGradient(lossesAt, here));
      const towards = (size: number): State => tf.tidy(() => threat.project(threat.step(here, slope.gradient, size), x));
      if (keep === 'worst') visited.push({ state: here, losses: slope.losses });
      if (keep === 'worst' && step === 0 && steps > 1) visited.push({ state: towards(1) });
      state = towards(share);
    }
    return [...visited, { state }];
  }

  return tf.tidy(() => {
    const visited = starts.map((drawn) => climb(threat.init(x, drawn)));
    // Never x itself, which the caller may dispose of apart from it.
    return tf.clone(threat.apply(worst(visited.flat(), lossesAt), x));
  });
}

/** [B], and the gradient of their mean. */
function lossesAndGradient<State extends tf.Tensor>(
  lossesAt: (state: State) => tf.Tensor1D,
  state: State,
): { losses: tf.Tensor1D; gradient: State } {
  const images = state.shape[0]!;
  // A tensor of its own: a loss that compares with the image it began at would else have no gradient with respect to it.
  const input = tf.clone(state);
  const { value, grad } = tf.valueAndGrad((moved) => lossesAt(moved as State))(input, tf.fill([images], 1 / images));
  return { losses: value as tf.Tensor1D, gradient: grad as State };
}

/** For each image the state with the greatest loss, the first of equals. */
function worst<State extends tf.Tensor>([first, ...others]: Visited<State>[], lossesAt: (state: State) => tf.Tensor1D): State {
  let { state } = first!;
  if (others.length === 0) return state;
  const lossesOf = (visited: Visited<State>): tf.Tensor1D => visited.losses ?? tf.tidy(() => lossesAt(visited.state));
  let losses = lossesOf(first!);
  for (const other of others) {
    const next = lossesOf(other);
    const greater = tf.greater(next, losses);
    state = tf.where(tf.reshape(greater, [-1, ...state.shape.slice(1).fill(1)]), other.state, state);
    losses = tf.where(greater, next, losses);
  }
  return state;
}
