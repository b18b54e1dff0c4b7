import { CxrError } from '@cxr-lens/data';
import { type Epoch as EpochRecord, EpochSchema, METHOD_NAMES, parseMethod } from '@cxr-lens/model/spec';
import { type Prisma, RunState } from '@cxr-lens/prisma';
import { z } from 'zod';
import { ByIdSchema, PageSchema, TextSchema } from '../input.ts';
import {
  activateRun,
  commandOf,
  deactivateRun,
  EXPLODED_SELECT,
  endOf,
  explodedOf,
  type ImportedStart,
  importedOf,
  type OptionValue,
  optionValues,
  type TrainingEnd,
} from '../runs.ts';
import { follow } from '../subscriptions.ts';
import { builder, NEWEST_FIRST } from './builder.ts';
import { MethodNameEnum, MethodType } from './method.ts';

builder.enumType(RunState, { name: 'RunState' });

const RunOption = builder.objectRef<OptionValue>('RunOption').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    value: t.expose('value', { type: 'JSON' }),
    default: t.expose('default', { type: 'JSON' }),
    changed: t.exposeBoolean('changed'),
  }),
});

const ProbeType = builder.objectRef<NonNullable<EpochRecord['probe']>>('Probe').implement({
  description: 'Mean losses of one fixed batch of validation images, against catastrophic overfitting (Wong et al. 2020).',
  fields: (t) => ({
    clean: t.exposeFloat('clean'),
    own: t.exposeFloat('own', { description: "Under the training's own attack." }),
    strong: t.exposeFloat('strong', { description: 'Under PGD-10 with a random start, or the worst of 10 rotations.' }),
    overfitted: t.exposeBoolean('overfitted', { description: 'The own attack reaches less than half of what the strong one does.' }),
  }),
});

builder.prismaObject('Epoch', {
  fields: (t) => ({
    epoch: t.exposeInt('epoch', { description: 'From 1.' }),
    trainLoss: t.exposeFloat('trainLoss'),
    validationLoss: t.exposeFloat('validationLoss'),
    perturbedValidationLoss: t.exposeFloat('perturbedValidationLoss', {
      nullable: true,
      description: 'Loss on perturbed validation images; null for a method that perturbs none.',
    }),
    probe: t.field({
      type: ProbeType,
      nullable: true,
      description: 'Null for a method that attacks nothing.',
      resolve: ({ probe }) => EpochSchema.shape.probe.parse(probe),
    }),
    validationAuc: t.exposeFloat('validationAuc', { nullable: true, description: 'Mean AUC of the findings on the validation split.' }),
    seconds: t.exposeFloat('seconds'),
    best: t.boolean({ select: { run: { select: { bestEpoch: true } } }, resolve: ({ epoch, run }) => epoch === run.bestEpoch }),
  }),
});

const ImportedType = builder.objectRef<ImportedStart>('ImportedWeights').implement({
  description: 'Weights of another program.',
  fields: (t) => ({
    network: t.exposeString('network'),
    sourceSha256: t.exposeString('sourceSha256', { description: 'Of the file that was imported.' }),
    trainedHere: t.exposeBoolean('trainedHere', {
      description: 'True where the run was trained from them, false where it is these weights as they are.',
    }),
  }),
});

const EndRule = builder.enumType('EndRule', {
  values: {
    CAP: { value: 'cap', description: 'maxEpochs or maxSteps: nothing moves it.' },
    STOP_RULE: {
      value: 'stop rule',
      description: 'No smaller validation loss for patience epochs and patienceSteps steps: a smaller one moves it on.',
    },
  } as const,
});

const TrainingEndType = builder.objectRef<TrainingEnd>('TrainingEnd').implement({
  description: 'Where a training ends at the earliest, or has ended.',
  fields: (t) => ({
    epoch: t.exposeInt('epoch', { description: 'The last one.' }),
    by: t.expose('by', { type: EndRule }),
    seconds: t.exposeFloat('seconds', { nullable: true, description: 'From the end of the newest epoch, at the speed of the last three.' }),
  }),
});

export const RunType = builder.prismaObject('Run', {
  description: 'One trained model: the index of its run folder.',
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    method: t.field({ type: MethodType, resolve: ({ method }) => ({ name: parseMethod(method) }) }),
    preset: t.exposeString('preset'),
    state: t.expose('state', { type: RunState }),
    seed: t.exposeInt('seed'),
    epsilon: t.exposeFloat('epsilon', {
      nullable: true,
      description: 'Strength of the perturbation in [0, 1] pixels; null for a method without one.',
    }),
    dataSet: t.relation('dataSet', { nullable: true }),
    options: t.field({
      type: [RunOption],
      description: 'Every option, those that differ from the default first.',
      resolve: (run) => optionValues(run),
    }),
    codeVersion: t.exposeString('codeVersion'),
    engine: t.exposeString('engine'),
    weightsSha256: t.exposeString('weightsSha256', { nullable: true }),
    active: t.exposeBoolean('active', { description: 'True when uploads are explained with it.' }),
    card: t.expose('card', { type: 'JSON', nullable: true }),
    imported: t.field({
      type: ImportedType,
      nullable: true,
      description: 'The imported weights that it started from, or that it is.',
      resolve: importedOf,
    }),
    parent: t.relation('parent', { nullable: true, description: 'The run it started from.' }),
    epochs: t.relation('epochs', { query: { orderBy: { epoch: 'asc' } } }),
    bestEpoch: t.exposeInt('bestEpoch', { nullable: true }),
    exploded: t.string({
      nullable: true,
      description: 'Says so in a sentence if the validation loss exploded, so that nothing the run says can be relied on; else null.',
      select: EXPLODED_SELECT,
      resolve: explodedOf,
    }),
    end: t.field({
      type: TrainingEndType,
      nullable: true,
      description: 'Null before the first epoch has ended, and of imported weights.',
      select: { epochs: { select: { seconds: true }, orderBy: { epoch: 'asc' } } },
      resolve: endOf,
    }),
    evaluations: t.relation('evaluations', {
      // Those of one file were written in the order of their protocols.
      query: { orderBy: [{ createdAt: 'desc' }, { id: 'asc' }] },
      description: "One a data set and protocol, newest first, the method's main protocol before its others.",
    }),
    command: t.string({
      description: 'The command that repeats it.',
      select: { dataSet: { select: { path: true } }, parent: { select: { path: true } } },
      resolve: (run) => commandOf(run),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
    error: t.exposeString('error', { nullable: true }),
  }),
});

const RunsSchema = PageSchema.extend({ method: z.enum(METHOD_NAMES).nullish(), dataSet: TextSchema.nullish() });

builder.queryFields((t) => ({
  runs: t.prismaConnection(
    {
      type: 'Run',
      cursor: 'id',
      description: 'Newest first; 20 unless asked, 100 at most.',
      args: { method: t.arg({ type: MethodNameEnum }), dataSet: t.arg.id() },
      parse: RunsSchema,
      totalCount: (_root, args, { prisma }) => prisma.run.count({ where: matching(args) }),
      resolve: (query, _root, args, { prisma }) => prisma.run.findMany({ ...query, where: matching(args), orderBy: NEWEST_FIRST }),
    },
    { name: 'RunConnection' },
    { name: 'RunEdge' },
  ),
  run: t.prismaField({
    type: 'Run',
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    parse: ByIdSchema,
    resolve: (query, _root, { id }, { prisma }) => prisma.run.findUnique({ ...query, where: { id } }),
  }),
}));

function matching({ method, dataSet }: z.infer<typeof RunsSchema>): Prisma.RunWhereInput {
  return { ...(method ? { method } : {}), ...(dataSet ? { dataSetId: dataSet } : {}) };
}

builder.mutationField('activateRun', (t) =>
  t.prismaField({
    type: 'Run',
    description: 'Puts a finished run into use for uploads, in place of other runs of its method.',
    args: {
      id: t.arg.id({ required: true }),
      evenIfExploded: t.arg.boolean({ description: 'Needed for a run whose validation loss exploded, which is refused without it.' }),
    },
    parse: ByIdSchema.extend({ evenIfExploded: z.boolean().nullish() }),
    resolve: async (query, _root, { id, evenIfExploded }, { prisma }) => {
      await activateRun(prisma, id, { evenIfExploded: evenIfExploded ?? false });
      return prisma.run.findUniqueOrThrow({ ...query, where: { id } });
    },
  }),
);

builder.mutationField('deactivateRun', (t) =>
  t.prismaField({
    type: 'Run',
    description:
      'Explains no more uploads by this run. The next run of its method that finishes is put into use, unless another is before.',
    args: { id: t.arg.id({ required: true }) },
    parse: ByIdSchema,
    resolve: async (query, _root, { id }, { prisma }) => {
      await deactivateRun(prisma, id);
      return prisma.run.findUniqueOrThrow({ ...query, where: { id } });
    },
  }),
);

builder.subscriptionField('run', (t) =>
  t.prismaField({
    type: 'Run',
    description: 'The present state first, then each change; ends when the run has ended.',
    args: { id: t.arg.id({ required: true }) },
    parse: ByIdSchema,
    subscribe: (_root, { id }, { uncounted, changes }) =>
      follow({
        watch: changes.watch('run', id),
        what: `run ${id}`,
        read: () => uncounted.run.findUnique({ where: { id }, select: { id: true, state: true } }),
        final: ({ state }) => state !== 'TRAINING',
      }),
    resolve: async (query, { id }, _args, { prisma }) => {
      const run = await prisma.run.findUnique({ ...query, where: { id } });
      if (!run) throw new CxrError('NOT_FOUND', `Run ${id} was deleted.`);
      return run;
    },
  }),
);
