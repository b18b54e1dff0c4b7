import { type AttackOptions, type Losses, seededAttack } from './attack.ts';
import { tf } from './engine/tensorflow.ts';
import type { Threat } from './threats/threat.ts';

/** Mean losses of one batch: clean, under the run's own attack, and under a strong one. */
export interface Probe {
  clean: number;
  own: number;
  strong: number;
}

const STRONG = {
  /** PGD-10 with a random start. */
  gradient: { steps: 10, start: 'random', candidates: 1, keep: 'worst' },
  /** Worst of 10. */
  sampling: { steps: 0, start: 'image', candidates: 10, keep: 'worst' },
} as const satisfies Record<Threat['search'], Omit<AttackOptions, 'seed'>>;

/**
 * What notices catastrophic overfitting (Wong et al. 2020): a network that has learned to stand its own attack and nothing else. The
 * strong attack keeps the own one's image where that is the worse, so that it is never the weaker.
 * @param x [B, S, S, 1], one fixed batch
 * @param own the training's attack; its seed is the strong one's too
 */
export function probe(losses: Losses, x: tf.Tensor4D, threat: Threat, own: AttackOptions): Probe {
  return tf.tidy(() => {
    const under = (options: AttackOptions): tf.Tensor1D => tf.tidy(() => losses(seededAttack(losses, x, threat, options)));
    const ownLosses = under(own);
    const strongLosses = under({ ...STRONG[threat.search], seed: own.seed });
    const mean = (values: tf.Tensor): number => tf.mean(values).dataSync<'float32'>()[0]!;
    return { clean: mean(losses(x)), own: mean(ownLosses), strong: mean(tf.maximum(ownLosses, strongLosses)) };
  });
}

// Both [ours]. A strong attack that raises the loss by less than this share of it has nothing that the own one could miss.
const NOTICEABLE_RISE = 0.01;
const MISSED_SHARE = 0.5;

/** Whether the own attack reaches less than half of the strong one's rise of the loss. */
export function isOverfitted({ clean, own, strong }: Probe): boolean {
  const rise = strong - clean;
  return rise > NOTICEABLE_RISE * Math.abs(clean) && own - clean < MISSED_SHARE * rise;
}
