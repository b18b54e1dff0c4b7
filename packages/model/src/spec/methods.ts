import { CxrError } from '@cxr-lens/data';

export interface MethodInfo {
  name: string;
  label: string;
  /** Where the paper describes it. */
  section: string;
  description: string;
  /** The method whose converged run the training starts from (`--from RUN`), or null: from the initialisation. */
  startsFrom: string | null;
  /** Whether the training perturbs half of every batch, so that `epsilon` means something. */
  adversarial: boolean;
}

/** The methods that can be trained, in the order in which tables and plots show them. */
export const METHODS = {
  baseline: {
    name: 'baseline',
    label: 'Baseline',
    section: 'Section 2.1, Eq. 1',
    description: 'DenseNet-121 without dense blocks 3 and 4, trained with the weighted binary cross entropy.',
    startsFrom: null,
    adversarial: false,
  },
  robust: {
    name: 'robust',
    label: 'Robust',
    section: 'Section 2.2, Eq. 2 and 3',
    description: 'The converged Baseline, trained on with half of every batch perturbed by FGSM.',
    startsFrom: 'baseline',
    adversarial: true,
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
