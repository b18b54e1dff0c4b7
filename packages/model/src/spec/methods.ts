import { CxrError } from '@cxr-lens/data';
import type { NetworkName } from './networks.ts';

export interface MethodInfo {
  name: string;
  label: string;
  /** Where the paper describes it. */
  section: string;
  description: string;
  network: NetworkName;
  /** What is minimised: Eq. 1, or Wang et al.'s weighted cross entropy. */
  loss: 'bce' | 'weighted-ce';
  /** The method whose converged run the training starts from (`--from RUN`), or null: from the initialisation. */
  startsFrom: string | null;
  /** Option values of the method's own recipe, where they are not the paper's for all. */
  defaults: Readonly<Record<string, string | number>>;
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
    defaults: {},
  },
  robust: {
    name: 'robust',
    label: 'Robust',
    section: 'Section 2.2, Eq. 2 and 3',
    description: 'The converged Baseline, trained on with half of every batch perturbed by FGSM.',
    network: 'truncated-densenet121',
    loss: 'bce',
    startsFrom: 'baseline',
    defaults: { perturbation: 'linf' },
  },
  chexnet: {
    name: 'chexnet',
    label: 'CheXNet',
    section: 'Section 3.1; Rajpurkar et al. 2017',
    description: 'All of DenseNet-121, trained with the unweighted binary cross entropy.',
    network: 'densenet121',
    loss: 'bce',
    startsFrom: null,
    defaults: { positiveWeight: 'none' },
  },
  nih: {
    name: 'nih',
    label: 'NIH',
    section: 'Section 3.1; Wang et al. 2017',
    description: 'ResNet-50 with a transition layer, log-sum-exp pooling and the weighted cross entropy.',
    network: 'resnet50-transition',
    loss: 'weighted-ce',
    startsFrom: null,
    defaults: { pooling: 'lse' },
  },
  'nih-star': {
    name: 'nih-star',
    label: 'NIH*',
    section: 'Section 3.1',
    description: "NIH's ResNet-50 without the transition layer, average pooling.",
    network: 'resnet50',
    loss: 'weighted-ce',
    startsFrom: null,
    defaults: {},
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
