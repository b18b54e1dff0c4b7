import { CxrError, FINDINGS } from '@cxr-lens/data';
import { METHOD_NAMES, PRESET_NAMES, SWEEP_EPSILONS, TrainOptionsSchema } from '@cxr-lens/model/spec';
import { isResumable, JobKind, JobState } from '@cxr-lens/prisma';
import { z } from 'zod';
import { ByIdSchema, FindingNamesSchema, PageSchema, RunIdsSchema, TextSchema } from '../input.ts';
import { evaluateRun, explainImage, sweepEpsilon, trainRun } from '../jobs.ts';
import { follow } from '../subscriptions.ts';
import { builder, NEWEST_FIRST } from './builder.ts';
import { FindingNameEnum } from './finding.ts';
import { MethodNameEnum } from './method.ts';
import { RunType } from './run.ts';

builder.enumType(JobKind, { name: 'JobKind' });
builder.enumType(JobState, { name: 'JobState' });

const JobProgress = builder.objectRef<{ what: string; done: number; total: number }>('JobProgress').implement({
  fields: (t) => ({ what: t.exposeString('what'), done: t.exposeInt('done'), total: t.exposeInt('total') }),
});

const JobError = builder.objectRef<{ code: string; message: string }>('JobError').implement({
  fields: (t) => ({ code: t.exposeString('code'), message: t.exposeString('message') }),
});

builder.prismaObject('JobEvent', {
  fields: (t) => ({ at: t.expose('at', { type: 'DateTime' }), message: t.exposeString('message') }),
});

/** The runs that an evaluation or an explanation names in its input. */
const RunsOfJobSchema = z
  .object({ runIds: z.array(z.string()) })
  .transform(({ runIds }) => runIds)
  .nullable()
  .catch(null);

const JobType = builder.prismaObject('Job', {
  fields: (t) => ({
    id: t.exposeID('id'),
    kind: t.expose('kind', { type: JobKind }),
    state: t.expose('state', { type: JobState }),
    progress: t.field({
      type: JobProgress,
      nullable: true,
      resolve: ({ progressWhat, progressDone, progressTotal }) =>
        progressWhat === null ? null : { what: progressWhat, done: progressDone ?? 0, total: progressTotal ?? 0 },
    }),
    events: t.relation('events', { query: { orderBy: { id: 'asc' } }, description: 'Oldest first.' }),
    error: t.field({
      type: JobError,
      nullable: true,
      resolve: ({ errorCode, errorMessage }) => (errorCode === null ? null : { code: errorCode, message: errorMessage ?? '' }),
    }),
    run: t.relation('run', { nullable: true, description: 'The run it is about; of a sweep the Baseline that it starts from.' }),
    runs: t.field({
      type: [RunType],
      description: 'Every run that it trains, measures or explains with; those that were deleted are left out.',
      resolve: async ({ runId, input }, _args, { prisma }) => {
        const ids = RunsOfJobSchema.parse(input) ?? (runId === null ? [] : [runId]);
        // Prisma makes one question of those that are asked at once.
        const runs = await Promise.all(ids.map((id) => prisma.run.findUnique({ where: { id } })));
        return runs.filter((run) => run !== null);
      },
    }),
    parts: t.relation('parts', {
      query: { orderBy: [{ run: { epsilon: 'asc' } }, { id: 'asc' }] },
      description: 'The trainings of a sweep, by epsilon; any other job has none.',
    }),
    resumable: t.boolean({ description: 'Whether resumeJob makes it go on.', resolve: isResumable }),
    image: t.relation('image', { nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
  }),
});

builder.prismaObjectField('Run', 'job', (t) =>
  t.field({
    type: JobType,
    nullable: true,
    description: 'The job that trains it; null for a run trained on the command line.',
    select: (_args, _context, nested) => ({ jobs: nested({ where: { kind: 'TRAIN' }, orderBy: NEWEST_FIRST, take: 1 }) }),
    resolve: ({ jobs }) => jobs[0] ?? null,
  }),
);

const TrainInput = builder.inputType('TrainInput', {
  fields: (t) => ({
    method: t.field({ type: MethodNameEnum, required: true }),
    dataSet: t.id({ required: true }),
    preset: t.string({ description: "paper or small; the one for the data set's size unless asked." }),
    name: t.string(),
    fromRun: t.id({ description: 'The finished run to start from; Robust starts from a Baseline.' }),
    seed: t.int(),
    epsilon: t.float({ description: 'In [0, 1] pixels.' }),
    options: t.field({ type: 'JSON', description: 'Every further option by its name.' }),
  }),
});

const SweepInput = builder.inputType('SweepInput', {
  fields: (t) => ({
    fromRun: t.id({ required: true, description: 'The finished Baseline; its preset and data set are those of every run.' }),
    epsilons: t.floatList({ description: 'In [0, 1] pixels; those of sweepEpsilons unless asked. 0 trains on unperturbed.' }),
    name: t.string({ description: 'Each run is called by it and its epsilon.' }),
    seed: t.int(),
    options: t.field({ type: 'JSON', description: 'Every further option by its name, for all runs.' }),
  }),
});

// Which options there are depends on the method: the service hands them to the schema of its training.
const OptionsSchema = z
  .record(TextSchema, z.unknown(), 'expected an object of option names and values, for example { "maxEpochs": 10 }')
  .nullish();

const TrainSchema = z.strictObject({
  method: z.enum(METHOD_NAMES),
  dataSet: TextSchema,
  preset: z.enum(PRESET_NAMES, `expected ${PRESET_NAMES.join(' or ')}`).nullish(),
  name: TextSchema.max(200, 'expected at most 200 characters').nullish(),
  fromRun: TextSchema.nullish(),
  seed: TrainOptionsSchema.shape.seed.unwrap().nullish(),
  epsilon: TrainOptionsSchema.shape.epsilon.unwrap().nullish(),
  options: OptionsSchema,
});

const SweepSchema = z.strictObject({
  fromRun: TextSchema,
  epsilons: z.array(z.number()).max(20, 'expected at most 20 epsilons').nullish(),
  name: TextSchema.max(150, 'expected at most 150 characters').nullish(),
  seed: TrainOptionsSchema.shape.seed.unwrap().nullish(),
  options: OptionsSchema,
});

const ExplainSchema = z.strictObject({
  imageId: TextSchema,
  runs: RunIdsSchema.min(1, 'name at least one, or leave it out for all that are in use').nullish(),
  findings: FindingNamesSchema.min(1, `name at least one, or leave it out for all ${FINDINGS.length}`).nullish(),
});

builder.queryFields((t) => ({
  jobs: t.prismaConnection(
    {
      type: 'Job',
      cursor: 'id',
      description: "Newest first; 20 unless asked, 100 at most. A sweep's trainings are its parts.",
      parse: PageSchema,
      totalCount: (_root, _args, { prisma }) => prisma.job.count({ where: { sweepId: null } }),
      resolve: (query, _root, _args, { prisma }) => prisma.job.findMany({ ...query, where: { sweepId: null }, orderBy: NEWEST_FIRST }),
    },
    { name: 'JobConnection' },
    { name: 'JobEdge' },
  ),
  job: t.prismaField({
    type: 'Job',
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    parse: ByIdSchema,
    resolve: (query, _root, { id }, { prisma }) => prisma.job.findUnique({ ...query, where: { id } }),
  }),
}));

builder.queryField('sweepEpsilons', (t) =>
  t.floatList({ description: 'What a sweep trains unless asked: the epsilons of Fig. 4.', resolve: () => [...SWEEP_EPSILONS] }),
);

builder.mutationFields((t) => ({
  explainImage: t.prismaField({
    type: 'Job',
    description: 'Explains the image with the runs (all active finished ones unless asked) for the findings (all 14 unless asked).',
    args: {
      imageId: t.arg.id({ required: true }),
      runs: t.arg.idList(),
      findings: t.arg({ type: [FindingNameEnum] }),
    },
    parse: ExplainSchema,
    resolve: async (query, _root, { imageId, runs, findings }, { prisma, jobs }) => {
      const { id } = await explainImage({ prisma, jobs }, { imageId, runIds: runs ?? null, findings: findings ?? FINDINGS });
      return prisma.job.findUniqueOrThrow({ ...query, where: { id } });
    },
  }),
  trainRun: t.prismaField({
    type: 'Job',
    args: { input: t.arg({ type: TrainInput, required: true }) },
    parse: z.strictObject({ input: TrainSchema }),
    resolve: async (query, _root, { input }, { prisma, jobs }) => {
      const { id } = await trainRun({ prisma, jobs }, input);
      return prisma.job.findUniqueOrThrow({ ...query, where: { id } });
    },
  }),
  sweepEpsilon: t.prismaField({
    type: 'Job',
    description: 'Trains one Robust run per epsilon from a finished Baseline (Fig. 4), as one job, on as many workers as there are.',
    args: { input: t.arg({ type: SweepInput, required: true }) },
    parse: z.strictObject({ input: SweepSchema }),
    resolve: async (query, _root, { input }, { prisma, jobs }) => {
      const { id } = await sweepEpsilon({ prisma, jobs }, input);
      return prisma.job.findUniqueOrThrow({ ...query, where: { id } });
    },
  }),
  evaluateRun: t.prismaField({
    type: 'Job',
    description: 'Evaluates a finished run on its own data set, or on another one of its size.',
    args: { id: t.arg.id({ required: true }), dataSet: t.arg.id() },
    parse: ByIdSchema.extend({ dataSet: TextSchema.nullish() }),
    resolve: async (query, _root, args, { prisma, jobs }) => {
      const { id } = await evaluateRun({ prisma, jobs }, { runId: args.id, dataSetId: args.dataSet ?? null });
      return prisma.job.findUniqueOrThrow({ ...query, where: { id } });
    },
  }),
  cancelJob: t.prismaField({
    type: 'Job',
    description: 'Cancels a queued or running job, a sweep with all its trainings; one that has ended stays as it is.',
    args: { id: t.arg.id({ required: true }) },
    parse: ByIdSchema,
    resolve: async (query, _root, { id }, { prisma, jobs }) => {
      await jobs.cancel(id);
      return prisma.job.findUniqueOrThrow({ ...query, where: { id } });
    },
  }),
  resumeJob: t.prismaField({
    type: 'Job',
    description: 'A training or a sweep that failed or was cancelled goes on from its checkpoints; runs that are finished stay.',
    args: { id: t.arg.id({ required: true }) },
    parse: ByIdSchema,
    resolve: async (query, _root, { id }, { prisma, jobs }) => {
      await jobs.resume(id);
      return prisma.job.findUniqueOrThrow({ ...query, where: { id } });
    },
  }),
}));

const ENDED: readonly JobState[] = ['DONE', 'FAILED', 'CANCELLED'];

builder.subscriptionField('job', (t) =>
  t.prismaField({
    type: 'Job',
    description: 'The present state first, then each change; ends when the job has ended.',
    args: { id: t.arg.id({ required: true }) },
    parse: ByIdSchema,
    subscribe: (_root, { id }, { uncounted, changes }) =>
      follow({
        watch: changes.watch('job', id),
        what: `job ${id}`,
        read: () => uncounted.job.findUnique({ where: { id }, select: { id: true, state: true } }),
        final: ({ state }) => ENDED.includes(state),
      }),
    resolve: async (query, { id }, _args, { prisma }) => {
      const job = await prisma.job.findUnique({ ...query, where: { id } });
      if (!job) throw new CxrError('NOT_FOUND', `Job ${id} was deleted.`);
      return job;
    },
  }),
);
