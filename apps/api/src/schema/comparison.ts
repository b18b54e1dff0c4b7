import { FINDINGS } from '@cxr-lens/data';
import { z } from 'zod';
import { type Comparison, compare } from '../comparison/compare.ts';
import type { ApartSet, ComparedRun } from '../comparison/curve-sets.ts';
import type { Difference } from '../comparison/difference.ts';
import { MAX_RUNS, protocolsOf } from '../comparison/measured.ts';
import type { PublishedAuc } from '../comparison/published.ts';
import { TextSchema } from '../input.ts';
import { builder } from './builder.ts';
import { DataSetType } from './data-set.ts';
import { AucResultType, EvaluationType, LocalizationCurveType, ProtocolType } from './evaluation.ts';
import { FindingNameEnum, FindingType } from './finding.ts';
import { RunType } from './run.ts';

const Verdict = builder.enumType('Verdict', { values: ['HIGHER', 'LOWER', 'UNDECIDED', 'NOT_COMPARABLE'] as const });

const PublishedAucType = builder.objectRef<PublishedAuc>('PublishedAuc').implement({
  description: "A published AUC: shown beside ours, never ranked with another split's.",
  fields: (t) => ({
    label: t.exposeString('label'),
    source: t.exposeString('source'),
    split: t.exposeString('split'),
    official: t.exposeBoolean('official', { description: 'True when measured on the official NIH split.' }),
    auc: t.exposeFloat('auc'),
  }),
});

const DifferenceType = builder.objectRef<Difference>('Difference').implement({
  description: 'How much higher the localisation accuracy of `run` is than that of `over`.',
  fields: (t) => ({
    run: t.expose('run', { type: RunType }),
    over: t.expose('over', { type: RunType }),
    iouThreshold: t.exposeFloat('iouThreshold'),
    value: t.exposeFloat('value', { nullable: true }),
    low: t.exposeFloat('low', { nullable: true, description: '95 % interval by paired bootstrap over patients, of this T(IoU) alone.' }),
    high: t.exposeFloat('high', { nullable: true }),
    pairs: t.exposeInt('pairs'),
    paired: t.exposeBoolean('paired', {
      description: 'True when both runs were scored on the same pairs and the interval is of the paired difference.',
    }),
    verdict: t.expose('verdict', {
      type: Verdict,
      description:
        'Of the mean over T(IoU), by the rule of the report and of `cxr-lens compare`. UNDECIDED: no difference was detected, or there is no verdict, as the statement says. NOT_COMPARABLE: the two were measured by two protocols.',
    }),
    statement: t.exposeString('statement'),
  }),
});

const ComparisonRun = builder.objectRef<ComparedRun>('ComparisonRun').implement({
  fields: (t) => ({
    run: t.expose('run', { type: RunType }),
    evaluation: t.expose('evaluation', {
      type: EvaluationType,
      nullable: true,
      description: 'The evaluation the numbers come from; null when the run was not evaluated on this data set.',
    }),
    auc: t.expose('auc', { type: AucResultType, nullable: true }),
    curve: t.expose('curve', {
      type: LocalizationCurveType,
      nullable: true,
      description: 'Null where the run was not measured by the protocol, or where its curve stands in another set.',
    }),
  }),
});

const ApartSetType = builder.objectRef<ApartSet>('ApartCurves').implement({
  description: 'Curves of one protocol that are never drawn with those of the comparison.',
  fields: (t) => ({
    protocol: t.field({ type: ProtocolType, resolve: ({ protocol }) => protocol }),
    reason: t.exposeString('reason', { description: 'Why they stand apart, in words.' }),
    runs: t.expose('runs', { type: [ComparisonRun] }),
    controls: t.expose('controls', { type: [LocalizationCurveType], description: 'By the same protocol.' }),
  }),
});

const ComparisonType = builder.objectRef<Comparison>('Comparison').implement({
  description: 'Runs side by side for one finding, measured by one protocol; AUC is the same by all.',
  fields: (t) => ({
    finding: t.field({ type: FindingType, resolve: ({ finding }) => ({ name: finding }) }),
    protocol: t.field({ type: ProtocolType, resolve: ({ protocol }) => protocol }),
    dataSet: t.expose('dataSet', { type: DataSetType, nullable: true }),
    runs: t.expose('runs', { type: [ComparisonRun], description: 'In the order asked for.' }),
    controls: t.expose('controls', {
      type: [LocalizationCurveType],
      description: 'Random, centre prior and best reachable.',
    }),
    apart: t.expose('apart', {
      type: [ApartSetType],
      description: 'Curves to be drawn apart: by the own protocol of runs that have no other, where none was asked for, and of Generative.',
    }),
    references: t.expose('references', {
      type: [LocalizationCurveType],
      description: 'Published curves by the same protocol.',
    }),
    publishedAuc: t.expose('publishedAuc', { type: [PublishedAucType] }),
    differences: t.expose('differences', {
      type: [DifferenceType],
      description: 'Differences of each pair of runs at T(IoU) = 0.3, later run minus earlier.',
    }),
    statement: t.exposeString('statement', { nullable: true, description: 'What can be said, in words.' }),
  }),
});

// Its bootstraps keep a process for up to a second.
const COMPARISON_FIELDS = 1000;

const scope = { runs: 'All active finished runs unless asked for others', dataSet: 'the one most of them were evaluated on unless asked' };
const description = `${scope.runs}; data set: ${scope.dataSet}; protocol: the paper's where a run was measured by it.`;

const ScopeSchema = z.strictObject({
  runs: z.array(TextSchema).max(MAX_RUNS, `too many to compare; expected at most ${MAX_RUNS}`).nullish(),
  protocol: TextSchema.nullish(),
  dataSet: TextSchema.nullish(),
});

builder.queryFields((t) => {
  const args = { runs: t.arg.idList(), protocol: t.arg.string(), dataSet: t.arg.id() };
  return {
    protocols: t.field({
      type: [ProtocolType],
      description: 'By which protocols the runs of such a comparison were measured, the one shown unless asked first.',
      args,
      parse: ScopeSchema,
      resolve: (_root, { runs, protocol, dataSet }, { prisma }) =>
        protocolsOf(prisma, { runIds: runs ?? null, protocol: protocol ?? null, dataSetId: dataSet ?? null }),
    }),
    comparison: t.field({
      type: ComparisonType,
      description,
      cost: COMPARISON_FIELDS,
      args: { finding: t.arg({ type: FindingNameEnum, required: true }), ...args },
      parse: ScopeSchema.extend({ finding: z.enum(FINDINGS) }),
      resolve: async (_root, { finding, runs, protocol, dataSet }, services) => {
        const request = { findings: [finding], runIds: runs ?? null, protocol: protocol ?? null, dataSetId: dataSet ?? null };
        return (await compare(services, request))[0]!;
      },
    }),
    comparisons: t.field({
      type: [ComparisonType],
      description: 'The same for all 14 findings; the eight boxed ones have curves.',
      args,
      parse: ScopeSchema,
      cost: COMPARISON_FIELDS * FINDINGS.length,
      resolve: (_root, { runs, protocol, dataSet }, services) =>
        compare(services, { findings: FINDINGS, runIds: runs ?? null, protocol: protocol ?? null, dataSetId: dataSet ?? null }),
    }),
  };
});
