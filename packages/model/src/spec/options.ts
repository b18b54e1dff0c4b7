import { CxrError } from '@cxr-lens/data';
import { z } from 'zod';
import { METHOD_NAMES, METHODS, type MethodInfo, type MethodName } from './methods.ts';

/**
 * Every value of a training run that the paper states or leaves open, with its default; `--set name=value` reaches each.
 * A run records all of them. An option exists where an experiment of the paper, or one that questions it, uses the other value.
 */
export const TrainOptionsSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe('Decides initial weights, order of the images and which are perturbed'),
  recipe: z
    .enum(['paper', 'published'])
    .default('paper')
    .describe("The paper's recipe for all networks, or the one that the network was published with, as the defaults of the other options"),
  optimiser: z.enum(['sgd', 'adam']).default('sgd').describe('SGD with momentum, or Adam (0.9, 0.999)'),
  learningRate: z.number().positive().default(0.01).describe('Learning rate at the start'),
  plateauPatience: z
    .int()
    .min(0)
    .default(0)
    .describe('Epochs without a smaller validation loss after which the learning rate is divided by 10; 0: never'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('Momentum of SGD, as PyTorch: v = m v + g, w = w - lr v'),
  batchSize: z.int().min(2).default(32).describe('Images a step; the last incomplete batch of an epoch is dropped'),
  accumulation: z.int().min(1).default(1).describe('Equal parts of a batch whose gradients are averaged into one step, to save memory'),
  precision: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .describe(
      'Numbers between the layers; where a CPU does not multiply bfloat16 itself, training rounds to it, which is slower, and predictions are float32',
    ),
  flip: z.enum(['none', 'horizontal']).default('none').describe('Whether each training image is mirrored with a chance of one half'),
  patience: z
    .int()
    .min(1)
    .default(3)
    .describe('Epochs without a smaller validation loss after which training stops, if patienceSteps are over too'),
  patienceSteps: z
    .int()
    .min(0)
    .default(500)
    .describe('Steps without a smaller validation loss after which training stops, if patience is over too; 0: the epochs alone decide'),
  maxEpochs: z.int().min(1).default(100).describe('Epochs after which training stops in any case'),
  maxSteps: z.int().min(0).default(0).describe('Steps after which training stops at the end of an epoch; 0: no limit'),
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
  fold: z.int().min(0).max(4).default(0).describe('Which fifth of the boxed patients a run of supervised leaves out, to be scored on'),
  patchGrid: z.literal([20, 16]).default(20).describe('P of the P x P patches whose scores supervised learns'),
  boxWeight: z.number().positive().default(5).describe('lambda_box of Li et al.: weight of the findings that have a box'),
  patchProducts: z
    .enum(['mapped', 'raw'])
    .default('mapped')
    .describe('What is multiplied over the patches: each v as 0.98 + 0.02 v (Li et al.), or as it is'),
  patchInitialBias: z.number().default(0).describe("Of the patches' logits; raw products need a negative one"),
  warmupEpochs: z.int().min(0).default(5).describe("Epochs over which the weight of generative's KL and cross entropy grows from 0 to 1"),
  checkpointSeconds: z.number().min(0).default(30).describe('Seconds between two checkpoints inside an epoch'),
});

/** As a row holds it. Runs trained on the command line by 0.1.0 may have a larger one, and stay readable. */
export const MAX_SEED = 2 ** 31 - 1;

/** Above these a step would hold the engine for hours, or overflow a row. New trainings alone are held to them: older runs stay readable. */
const MOST: Partial<Record<TrainOptionName, number>> = {
  seed: MAX_SEED,
  batchSize: 4096,
  accumulation: 4096,
  attackSteps: 1000,
  attackCandidates: 1000,
  maxEpochs: 100_000,
  maxSteps: MAX_SEED,
  warmupEpochs: 100_000,
};

/** Passes through the network that the attack of one step may take. */
const MOST_PASSES = 1000;

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

/** Options of one loss alone. */
const LOSS_OPTIONS: Partial<Record<MethodInfo['loss'], readonly TrainOptionName[]>> = {
  patches: ['fold', 'patchGrid', 'boxWeight', 'patchProducts', 'patchInitialBias'],
  elbo: ['warmupEpochs'],
};
const OF_ONE_LOSS = Object.values(LOSS_OPTIONS).flat();

/** The names of the options that mean something in such a run, in the schema's order. */
export function optionsOf(
  method: MethodName,
  { perturbation, pooling, optimiser }: Pick<TrainOptions, 'perturbation' | 'pooling' | 'optimiser'>,
): TrainOptionName[] {
  const { loss, network, published } = METHODS[method];
  const resnet = network.startsWith('resnet50');
  return TRAIN_OPTION_NAMES.filter((name) => {
    if (name === 'recipe') return published !== null;
    if (name === 'momentum') return optimiser === 'sgd';
    if (name === 'flip') return loss !== 'patches'; // the boxes stay where they are
    if (name === 'positiveWeight') return loss === 'bce' || loss === 'elbo'; // W-CEL is its weights, the patches' loss has none
    // What goes on from converged weights is warm.
    if (name === 'warmupEpochs') return loss === 'elbo' && perturbation === 'none';
    if (OF_ONE_LOSS.includes(name)) return LOSS_OPTIONS[loss]?.includes(name) ?? false;
    if (name === 'perturbation') return method !== 'baseline'; // a perturbed Baseline is Robust
    if (name === 'gradientPenalty') return method === 'robust'; // the control that Robust is compared with
    if (ADVERSARIAL_OPTIONS.includes(name)) return !IDLE_OPTIONS[perturbation].includes(name);
    return !POOLING_OPTIONS.includes(name) || (resnet && (name === 'pooling' || pooling === 'lse'));
  });
}

/** What a run of the method has where nothing is said, or nothing but its recipe and its perturbation. */
export function defaultOptions(method: MethodName, said: Partial<Pick<TrainOptions, 'recipe' | 'perturbation'>> = {}): TrainOptions {
  return TrainOptionsSchema.parse(withOwnDefaults(method, said));
}

/** What such a run has without being told: what follows from its recipe and its perturbation, but not these two themselves. */
export function standardOptions(method: MethodName, { recipe, perturbation }: Pick<TrainOptions, 'recipe' | 'perturbation'>): TrainOptions {
  const plain = defaultOptions(method);
  return { ...defaultOptions(method, { recipe, perturbation }), recipe: plain.recipe, perturbation: plain.perturbation };
}

/** The options that must be said to make such a run. */
export function saidOptions(method: MethodName, options: TrainOptions): TrainOptionName[] {
  const standard = standardOptions(method, options);
  return optionsOf(method, options).filter((name) => options[name] !== standard[name]);
}

/** The options given, and beside them what the method and the perturbation have of their own; the schema's defaults fill the rest. */
function withOwnDefaults(method: MethodName, given: unknown): Record<string, unknown> {
  const { perturbation, recipe } = Object(given);
  const own = { ...(recipe === 'published' ? METHODS[method].published : {}), ...(perturbation === 'spatial' ? WORST_OF_TEN : {}) };
  return { ...METHODS[method].defaults, ...own, ...Object(given) };
}

/** The request of a training, whose `options` lack the method's own defaults, with them. Anything else as it is. */
export function fillOptions(given: unknown): unknown {
  const { method, options } = Object(given);
  const known = METHOD_NAMES.find((name) => name === method);
  return known && typeof options === 'object' ? { ...Object(given), options: withOwnDefaults(known, options) } : given;
}

/** Values that runs had before an option existed, where these differ from the option's default. */
const BEFORE_THE_OPTION = { patienceSteps: 0 } as const satisfies Partial<TrainOptions>;

/** The options that a run was written with, also before some of them existed: it keeps what it was trained by. */
export function writtenOptions(method: MethodName, written: unknown): Record<string, unknown> {
  return { ...BEFORE_THE_OPTION, ...withOwnDefaults(method, written) };
}

/** A run or a training job as it was written, with the options that did not exist then. Anything else as it is. */
export function fillWrittenOptions(given: unknown): unknown {
  const { method, options } = Object(given);
  const known = METHOD_NAMES.find((name) => name === method);
  return known && typeof options === 'object' ? { ...Object(given), options: writtenOptions(known, options) } : given;
}

function checkSizes(options: TrainOptions): void {
  for (const [name, most] of Object.entries(MOST) as [TrainOptionName, number][]) {
    if (Number(options[name]) <= most) continue;
    throw new CxrError('BAD_INPUT', `Option ${name}: ${options[name]} is too large; expected at most ${most}.`);
  }
  const { attackSteps, attackCandidates } = options;
  const passes = Math.max(1, attackSteps) * attackCandidates;
  if (passes <= MOST_PASSES) return;
  const message = `Option attackCandidates: ${attackCandidates} starts of ${attackSteps} steps are ${passes} passes a batch; expected at most ${MOST_PASSES}.`;
  throw new CxrError('BAD_INPUT', message);
}

/** All options of a run, defaults filled in. CxrError BAD_INPUT names the field, what it holds and what was expected. */
export function parseTrainOptions(method: MethodName, given: unknown): TrainOptions {
  const parsed = TrainOptionsSchema.safeParse(withOwnDefaults(method, given));
  if (!parsed.success) throw new CxrError('BAD_INPUT', optionError(parsed.error));
  checkSizes(parsed.data);
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
  if (METHODS[method].loss === 'patches') checkPatches(method, parsed.data);
  const { batchSize, accumulation } = parsed.data;
  if (batchSize % accumulation !== 0) {
    throw new CxrError('BAD_INPUT', `Option accumulation: a batch of ${batchSize} has no ${accumulation} equal parts; choose a divisor.`);
  }
  const { perturbation, attackSteps, attackStart, attackCandidates } = parsed.data;
  if (used.includes('attackSteps') && attackSteps === 0 && attackStart === 'image' && attackCandidates === 1) {
    const remedy = 'set attackCandidates above 1 or attackStart=random as well';
    throw new CxrError('BAD_INPUT', `Option attackSteps: 0 steps from the image change nothing (perturbation ${perturbation}); ${remedy}.`);
  }
  return parsed.data;
}

function checkPatches(method: MethodName, { perturbation, patchProducts, patchInitialBias }: TrainOptions): void {
  if (perturbation === 'spatial') {
    throw new CxrError('BAD_INPUT', `Option perturbation: spatial moves the images of ${method} away from their boxes; name another one.`);
  }
  if (patchProducts === 'raw' && patchInitialBias >= 0) {
    const reason = 'the raw product over hundreds of patches rounds to 0: an image without a box has no gradient';
    throw new CxrError('BAD_INPUT', `Option patchInitialBias: at ${patchInitialBias} ${reason}; set a negative one, for example -6.`);
  }
}

function whyUnused(method: MethodName, name: TrainOptionName, { perturbation }: TrainOptions): string {
  const { loss } = METHODS[method];
  if (name === 'recipe') return `${method} has no other recipe than the paper's; leave it out.`;
  if (name === 'momentum') return 'Adam has moments of its own; leave it out.';
  if (name === 'flip') return 'mirrored images would leave their boxes; leave it out.';
  if (name === 'positiveWeight') {
    return loss === 'patches'
      ? `${method}'s loss has no beta; leave it out.`
      : `${method}'s loss is weighted by the labels of the batch; leave it out.`;
  }
  if (name === 'warmupEpochs' && loss === 'elbo') return 'a run that goes on from converged weights is warm; leave it out.';
  if (OF_ONE_LOSS.includes(name)) {
    const owner = METHOD_NAMES.find((other) => LOSS_OPTIONS[METHODS[other].loss]?.includes(name));
    return `it belongs to ${owner}, not to ${method}; leave it out.`;
  }
  if (name === 'gradientPenalty') return 'it is a control of robust; leave it out.';
  if (method === 'baseline' && name === 'perturbation') return 'a Baseline with perturbed images is the method robust; train that.';
  if (method === 'baseline' && ADVERSARIAL_OPTIONS.includes(name)) return 'baseline does not perturb its images; leave it out.';
  if (ADVERSARIAL_OPTIONS.includes(name)) {
    return perturbation === 'none'
      ? 'nothing is perturbed; set perturbation=linf (or l2, spatial, noise) as well, or leave it out.'
      : `it means nothing with perturbation ${perturbation}; leave it out.`;
  }
  if (loss === 'patches' || loss === 'elbo') return `${method} pools nothing; leave it out.`;
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
