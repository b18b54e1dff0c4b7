import { experiment as baseline } from './baseline.ts';
import { experiment as baselineUnweighted } from './baseline-unweighted.ts';
import { experiment as chexnet } from './chexnet.ts';
import { experiment as chexnetEq1 } from './chexnet-eq1.ts';
import { experiment as chexnetPublished } from './chexnet-published.ts';
import { experiment as chexnetRobust } from './chexnet-robust.ts';
import { experiment as epsilonSweep } from './epsilon-sweep.ts';
import type { Experiment } from './experiment.ts';
import { experiment as figures } from './figures.ts';
import { experiment as generative } from './generative.ts';
import { experiment as importWeights } from './import.ts';
import { experiment as nih } from './nih.ts';
import { experiment as nihPublished } from './nih-published.ts';
import { experiment as nihStar } from './nih-star.ts';
import { experiment as robust } from './robust.ts';
import { experiment as robustRotation } from './robust-rotation.ts';
import { experiment as supervised } from './supervised.ts';

/** The reproduction of the paper on the full data: these, in this order. */
export const EXPERIMENTS: readonly Experiment[] = [
  importWeights,
  baseline,
  robust,
  chexnet,
  nih,
  nihStar,
  supervised,
  epsilonSweep,
  figures,
  chexnetEq1,
  baselineUnweighted,
  chexnetPublished,
  nihPublished,
  chexnetRobust,
  robustRotation,
  generative,
];
