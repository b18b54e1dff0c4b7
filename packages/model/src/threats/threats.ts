import type { AttackOptions } from '../attack.ts';
import type { tf } from '../engine/tensorflow.ts';
import type { TrainOptions } from '../spec/options.ts';
import { l2 } from './l2.ts';
import { linf } from './linf.ts';
import { gaussianNoise } from './noise.ts';
import { spatial } from './spatial.ts';
import type { Epsilon, Threat } from './threat.ts';

/** What a run perturbs its images by. */
export function threatOf({
  perturbation,
  epsilon,
  rotation,
  translation,
}: Omit<TrainOptions, 'epsilon'> & { epsilon: Epsilon }): Threat<tf.Tensor> {
  const threats = {
    none: () => linf(0),
    linf: () => linf(epsilon),
    l2: () => l2(epsilon),
    spatial: () => spatial({ rotation, translation }),
    noise: () => gaussianNoise(epsilon),
  } as const satisfies Record<TrainOptions['perturbation'], () => unknown>;
  return threats[perturbation]() as Threat<tf.Tensor>;
}

/** How a run looks for the worst case. Gaussian noise is drawn, and that is all. */
export function attackOptions({
  perturbation,
  attackSteps,
  attackStart,
  attackCandidates,
}: TrainOptions): Pick<AttackOptions, 'steps' | 'start' | 'candidates'> {
  if (perturbation === 'noise') return { steps: 0, start: 'random', candidates: 1 };
  return { steps: attackSteps, start: attackStart, candidates: attackCandidates };
}
