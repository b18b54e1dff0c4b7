import { CxrError } from '@cxr-lens/data';
import { z } from 'zod';
import { METHOD_NAMES, METHODS, type MethodName } from './methods.ts';

/**
 * Every value of a training run that the paper states or leaves open, with its default; `--set name=value` reaches each.
 * A run records all of them. An option exists where an experiment of the paper, or one that questions it, uses the other value.
 */
export const TrainOptionsSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe('Decides initial weights, order of the images and which are perturbed'),
  learningRate: z.number().positive().default(0.01).describe('Learning rate of SGD'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('Momentum of SGD, as PyTorch: v = m v + g, w = w - lr v'),
  batchSize: z.int().min(2).default(32).describe('Images a step; the last incomplete batch of an epoch is dropped'),
  patience: z.int().min(1).default(3).describe('Epochs without a smaller validation loss after which training stops'),
  maxEpochs: z.int().min(1).default(100).describe('Epochs after which training stops in any case'),
  positiveWeight: z.enum(['batch', 'none']).default('batch').describe('beta of Eq. 1: negatives / positives of the batch, or 1'),
  runningMomentum: z.number().gt(0).max(1).default(0.1).describe("Share of a batch's statistics in batch norm's moving averages"),
  pooling: z
    .enum(['average', 'lse', 'max'])
    .default('average')
    .describe('How the feature maps of ResNet-50 become one number each; lse: log-sum-exp (Wang et al. 2017)'),
  lseSharpness: z.number().positive().default(10).describe('r of log-sum-exp pooling'),
  perturbation: z
    .enum(['none', 'linf', 'l2', 'spatial', 'noise'])
    .default('none')
    .describe('What half of every batch is perturbed by: L-infinity (Eq. 2), L2, rotation and translation, or Gaussian noise as a control'),
  epsilon: z
    .number()
    .min(0)
    .max(1)
    .default(0.005)
    .describe('Size in pixels of [0, 1]: largest change (linf, Eq. 2), root mean square change (l2), standard deviation (noise)'),
  perturbedFraction: z.number().min(0).max(1).default(0.5).describe('Share of every batch that is perturbed'),
  attackSteps: z.int().min(0).default(1).describe('Steps of the attack; 1 from the image is FGSM, 0 only tries the starts'),
  attackCandidates: z.int().min(1).default(1).describe('Starts of the attack, of which the worst image is kept (worst of k)'),
  rotation: z.number().min(0).max(180).default(15).describe('Largest rotation in degrees, to either side'),
  translation: z.number().min(0).max(0.5).default(0.1).describe('Largest translation as a share of the side'),
  attackStart: z.enum(['image', 'random']).default('image').describe('Where the attack starts: at the image (FGSM) or drawn at random'),
  attackBatchNorm: z.enum(['batch', 'inference']).default('batch').describe("Statistics of batch norm inside the training's attack"),
  gradientPenalty: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'Weight of half the squared length of the input gradient in the loss: a control beside the perturbations (Finlay and Oberman 2019)',
    ),
  checkpointSeconds: z.number().min(0).default(30).describe('Seconds between two checkpoints inside an epoch'),
});

export type TrainOptions = z.infer<typeof TrainOptionsSchema>;
export type TrainOptionName = keyof TrainOptions;

export const TRAIN_OPTION_NAMES = Object.keys(TrainOptionsSchema.shape) as TrainOptionName[];

/** Options that mean something only where half of every batch is perturbed. */
const ADVERSARIAL_OPTIONS: readonly TrainOptionName[] = [
  'epsilon',
  'perturbedFraction',
  'attackSteps',
  'attackCandidates',
  'rotation',
  'translation',
  'attackStart',
  'attackBatchNorm',
];
/** Of those, the ones that a kind of perturbation has no use for. */
const IDLE_OPTIONS: Record<TrainOptions['perturbation'], readonly TrainOptionName[]> = {
  none: ADVERSARIAL_OPTIONS,
  linf: ['rotation', 'translation'],
  l2: ['rotation', 'translation'],
  spatial: ['epsilon'],
  noise: ['attackSteps', 'attackCandidates', 'rotation', 'translation', 'attackStart', 'attackBatchNorm'],
};
/** How rotations are searched where nothing else is said: one full step along the gradient only reaches a corner of the limits. */
const WORST_OF_TEN = { attackSteps: 0, attackCandidates: 10 } as const;

const POOLING_OPTIONS: readonly TrainOptionName[] = ['pooling', 'lseSharpness'];

/** The names of the options that mean something in such a run, in the schema's order. */
export function optionsOf(
  method: MethodName,
  { perturbation, pooling }: Pick<TrainOptions, 'perturbation' | 'pooling'>,
): TrainOptionName[] {
  const resnet = METHODS[method].network.startsWith('resnet50');
  return TRAIN_OPTION_NAMES.filter((name) => {
    if (name === 'positiveWeight') return METHODS[method].loss === 'bce'; // W-CEL is its weights
    if (name === 'perturbation') return method !== 'baseline'; // a perturbed Baseline is Robust
    if (name === 'gradientPenalty') return method === 'robust'; // the control that Robust is compared with
    if (ADVERSARIAL_OPTIONS.includes(name)) return !IDLE_OPTIONS[perturbation].includes(name);
    return !POOLING_OPTIONS.includes(name) || (resnet && (name === 'pooling' || pooling === 'lse'));
  });
}

/** What a run of the method has where nothing else is said. */
export function defaultOptions(method: MethodName): TrainOptions {
  return TrainOptionsSchema.parse(METHODS[method].defaults);
}

/** The options given, and beside them what the method and the perturbation have of their own; the schema's defaults fill the rest. */
function withOwnDefaults(method: MethodName, given: unknown): Record<string, unknown> {
  const own = Object(given).perturbation === 'spatial' ? WORST_OF_TEN : {};
  return { ...METHODS[method].defaults, ...own, ...Object(given) };
}

/** A run or a training job, whose `options` were written without the method's own defaults, with them. Anything else as it is. */
export function fillOptions(given: unknown): unknown {
  const { method, options } = Object(given);
  const known = METHOD_NAMES.find((name) => name === method);
  return known && typeof options === 'object' ? { ...Object(given), options: withOwnDefaults(known, options) } : given;
}

/** All options of a run, defaults filled in. CxrError BAD_INPUT names the field, what it holds and what was expected. */
export function parseTrainOptions(method: MethodName, given: unknown): TrainOptions {
  const parsed = TrainOptionsSchema.safeParse(withOwnDefaults(method, given));
  if (!parsed.success) throw new CxrError('BAD_INPUT', optionError(parsed.error));
  const used = optionsOf(method, parsed.data);
  const defaults = defaultOptions(method);
  const unused = TRAIN_OPTION_NAMES.find((name) => !used.includes(name) && parsed.data[name] !== defaults[name]);
  if (unused !== undefined) throw new CxrError('BAD_INPUT', `Option ${unused}: ${whyUnused(method, unused, parsed.data)}`);
  if (method === 'robust' && parsed.data.perturbation === 'none' && parsed.data.gradientPenalty === 0) {
    throw new CxrError(
      'BAD_INPUT',
      'Option perturbation: robust without a perturbation is the Baseline; name another one, set gradientPenalty, or train baseline.',
    );
  }
  const { perturbation, attackSteps, attackStart, attackCandidates } = parsed.data;
  if (used.includes('attackSteps') && attackSteps === 0 && attackStart === 'image' && attackCandidates === 1) {
    const remedy = 'set attackCandidates above 1 or attackStart=random as well';
    throw new CxrError('BAD_INPUT', `Option attackSteps: 0 steps from the image change nothing (perturbation ${perturbation}); ${remedy}.`);
  }
  return parsed.data;
}

function whyUnused(method: MethodName, name: TrainOptionName, { perturbation }: TrainOptions): string {
  if (name === 'positiveWeight') return `${method}'s loss is weighted by the labels of the batch; leave it out.`;
  if (name === 'gradientPenalty') return 'it is a control of robust; leave it out.';
  if (method === 'baseline' && name === 'perturbation') return 'a Baseline with perturbed images is the method robust; train that.';
  if (method === 'baseline' && ADVERSARIAL_OPTIONS.includes(name)) return 'baseline does not perturb its images; leave it out.';
  if (ADVERSARIAL_OPTIONS.includes(name)) {
    return perturbation === 'none'
      ? 'nothing is perturbed; set perturbation=linf (or l2, spatial, noise) as well, or leave it out.'
      : `it means nothing with perturbation ${perturbation}; leave it out.`;
  }
  if (name === 'lseSharpness') return 'the pooling is not lse; leave it out.';
  return `${method} pools by the average; leave it out.`;
}

/** The method whose converged run the training starts from: the registry's, or, where images are perturbed, the method itself; else null. */
export function parentMethod(method: MethodName, { perturbation }: Pick<TrainOptions, 'perturbation'>): MethodName | null {
  return METHODS[method].startsFrom ?? (perturbation === 'none' ? null : method);
}

/**
 * Options from `name=value` texts, as `--set` takes them. Numbers and words as the schema wants them.
 * CxrError BAD_INPUT for an unknown name, a missing `=`, or a name given twice.
 */
export function parseSettings(settings: readonly string[]): Record<string, number | string> {
  const given: Record<string, number | string> = {};
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at < 1) throw new CxrError('BAD_INPUT', `--set ${setting}: expected name=value, for example --set maxEpochs=10.`);
    const name = setting.slice(0, at).trim();
    const value = setting.slice(at + 1).trim();
    if (!TRAIN_OPTION_NAMES.includes(name as TrainOptionName)) {
      throw new CxrError('BAD_INPUT', `--set ${name}: no such option; the options are ${TRAIN_OPTION_NAMES.join(', ')}.`);
    }
    if (name in given) throw new CxrError('BAD_INPUT', `--set ${name}: given twice.`);
    given[name] = value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
  }
  return given;
}

function optionError(error: z.ZodError): string {
  const issue = error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    return `Option ${issue.keys.join(', ')}: no such option; the options are ${TRAIN_OPTION_NAMES.join(', ')}.`;
  }
  return `Option ${issue.path.join('.') || 'list'}: ${issue.message}.`;
}
