import { CxrError } from '@cxr-lens/data';
import type { NetworkName } from './networks.ts';

export interface MethodInfo {
  name: string;
  label: string;
  /** Where the paper describes it. */
  section: string;
  description: string;
  network: NetworkName;
  /** What is minimised: Eq. 1, Wang et al.'s weighted cross entropy, Li et al.'s loss of patches and boxes, or the ELBO with Eq. 1. */
  loss: 'bce' | 'weighted-ce' | 'patches' | 'elbo';
  /** The method whose converged run the training starts from (`--from RUN`), or null: from the initialisation. */
  startsFrom: string | null;
  /** How its localisation is measured, the main way first: the paper's section 3.3 or that of patch scores; beside it NIH's own. */
  protocols: readonly ['paper' | 'patches', ...'nih'[]];
  /** Option values of the method's own recipe, where they are not the paper's for all. */
  defaults: Readonly<Record<string, string | number>>;
  /** Option values of the recipe that the network was published with; null where the paper's is its own. */
  published: Readonly<Record<string, string | number>> | null;
}

/** The methods that can be trained, in the order in which tables and plots show them. */
export const METHODS = {
  baseline: {
    name: 'baseline',
    label: 'Baseline',
    section: 'Section 2.1, Eq. 1',
    description: 'DenseNet-121 without dense blocks 3 and 4, trained with the weighted binary cross entropy.',
    network: 'truncated-densenet121',
    loss: 'bce',
    startsFrom: null,
    protocols: ['paper'],
    defaults: {},
    published: null,
  },
  robust: {
    name: 'robust',
    label: 'Robust',
    section: 'Section 2.2, Eq. 2 and 3',
    description: 'The converged Baseline, trained on with half of every batch perturbed by FGSM.',
    network: 'truncated-densenet121',
    loss: 'bce',
    startsFrom: 'baseline',
    protocols: ['paper'],
    defaults: { perturbation: 'linf' },
    published: null,
  },
  chexnet: {
    name: 'chexnet',
    label: 'CheXNet',
    section: 'Section 3.1; Rajpurkar et al. 2017',
    description: 'All of DenseNet-121, trained with the unweighted binary cross entropy.',
    network: 'densenet121',
    loss: 'bce',
    startsFrom: null,
    protocols: ['paper'],
    defaults: { positiveWeight: 'none' },
    published: { optimiser: 'adam', learningRate: 0.001, plateauPatience: 1, batchSize: 16, flip: 'horizontal' },
  },
  nih: {
    name: 'nih',
    label: 'NIH',
    section: 'Section 3.1; Wang et al. 2017',
    description: 'ResNet-50 with a transition layer, log-sum-exp pooling and the weighted cross entropy.',
    network: 'resnet50-transition',
    loss: 'weighted-ce',
    startsFrom: null,
    protocols: ['paper', 'nih'],
    defaults: { pooling: 'lse' },
    published: { batchSize: 80, accumulation: 5, maxSteps: 10_000 },
  },
  'nih-star': {
    name: 'nih-star',
    label: 'NIH*',
    section: 'Section 3.1',
    description: "NIH's ResNet-50 without the transition layer, average pooling.",
    network: 'resnet50',
    loss: 'weighted-ce',
    startsFrom: null,
    protocols: ['paper'],
    defaults: {},
    published: null,
  },
  supervised: {
    name: 'supervised',
    label: 'Supervised',
    section: 'Section 3.1; Li et al. 2018',
    description: 'Patch scores on a pre-activation ResNet-50, trained with four fifths of the boxes; scored on the patients of the rest.',
    network: 'preact-resnet50-patches',
    loss: 'patches',
    startsFrom: null,
    protocols: ['patches'],
    defaults: {},
    published: null,
  },
  generative: {
    name: 'generative',
    label: 'Generative',
    section: 'Section 1 (cited); Biffi et al. 2018, our addition',
    description: 'A variational autoencoder with a classifier on its code; its map is what changes in the decoded image.',
    network: 'vae',
    loss: 'elbo',
    startsFrom: null,
    protocols: ['paper'],
    defaults: {},
    published: null,
  },
} as const satisfies Record<string, MethodInfo>;

export type MethodName = keyof typeof METHODS;

export const METHOD_NAMES = Object.keys(METHODS) as [MethodName, ...MethodName[]];

/** The method of that name in any case; CxrError BAD_INPUT names the known ones. */
export function parseMethod(text: string): MethodName {
  const name = text.toLowerCase();
  const found = METHOD_NAMES.find((candidate) => candidate === name);
  if (!found) throw new CxrError('BAD_INPUT', `"${text}" is no method; the methods are ${METHOD_NAMES.join(', ')}.`);
  return found;
}
