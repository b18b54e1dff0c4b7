import { FEW_CASES_REASON, meanHasInterval, type Protocol } from '@cxr-lens/eval';
import { CurveKind } from '@cxr-lens/prisma';
import { type Curve, curveOf, type Point } from '../comparison/published.ts';
import { builder } from './builder.ts';
import { FindingType, findingOf } from './finding.ts';

const CurveKindEnum = builder.enumType(CurveKind, { name: 'CurveKind' });

export const ProtocolType = builder.objectRef<Protocol>('Protocol').implement({
  description: 'How localisation was measured.',
  fields: (t) => ({ name: t.exposeString('name'), description: t.exposeString('description') }),
});

export const AucResultType = builder.prismaObject('AucResult', {
  description: 'Area under the ROC curve with its 95 % interval.',
  fields: (t) => ({
    finding: t.field({ type: FindingType, resolve: findingOf }),
    auc: t.exposeFloat('auc', { nullable: true }),
    low: t.exposeFloat('low', { nullable: true, description: 'Null with few cases, as every end of an interval here.' }),
    high: t.exposeFloat('high', { nullable: true }),
    variance: t.exposeFloat('variance', { nullable: true, description: 'By DeLong, as low and high.' }),
    bootstrapLow: t.exposeFloat('bootstrapLow', { nullable: true, description: '95 % interval by bootstrap over patients.' }),
    bootstrapHigh: t.exposeFloat('bootstrapHigh', { nullable: true }),
    positives: t.exposeInt('positives'),
    negatives: t.exposeInt('negatives'),
    reason: t.exposeString('reason', { nullable: true, description: 'Why there is no AUC, or no interval: `few cases`.' }),
  }),
});

const IobbPoint = builder.objectRef<Point>('IobbPoint').implement({
  description: 'By intersection over the detected box.',
  fields: (t) => ({
    accuracy: t.exposeFloat('iobbAccuracy', { nullable: true }),
    low: t.exposeFloat('iobbLow', { nullable: true, description: '95 % interval by bootstrap over patients.' }),
    high: t.exposeFloat('iobbHigh', { nullable: true }),
    falsePositives: t.exposeFloat('iobbFalsePositives', { nullable: true }),
  }),
});

const LocalizationPoint = builder.objectRef<Point>('LocalizationPoint').implement({
  fields: (t) => ({
    iouThreshold: t.exposeFloat('iouThreshold'),
    accuracy: t.exposeFloat('accuracy', { nullable: true }),
    low: t.exposeFloat('low', {
      nullable: true,
      description: "95 % interval by bootstrap over patients; Wilson's where fewer than five pairs hit or fewer than five miss.",
    }),
    high: t.exposeFloat('high', { nullable: true }),
    sd: t.exposeFloat('sd', { nullable: true, description: 'Standard deviation over the folds.' }),
    falsePositives: t.exposeFloat('falsePositives', {
      nullable: true,
      description: 'Detected boxes per image that do not hit; null for a protocol that makes no boxes.',
    }),
    iobb: t.field({
      type: IobbPoint,
      nullable: true,
      description: 'Null for a protocol that makes no boxes.',
      resolve: (point) => (point.iobbAccuracy === null && point.iobbFalsePositives === null ? null : point),
    }),
  }),
});

/** A curve of ours (a row with its points) or a published one. */
export const LocalizationCurveType = builder.objectRef<Curve>('LocalizationCurve').implement({
  description: 'Localisation accuracy over T(IoU).',
  fields: (t) => ({
    finding: t.field({ type: FindingType, resolve: findingOf }),
    protocol: t.field({ type: ProtocolType, resolve: ({ protocol }) => protocol, description: 'Curves of two are never drawn as one.' }),
    kind: t.expose('kind', { type: CurveKindEnum }),
    label: t.exposeString('label'),
    source: t.string({
      nullable: true,
      description: 'Where a published curve was printed; null for ours.',
      resolve: ({ source }) => source ?? null,
    }),
    pairs: t.exposeInt('pairs'),
    threshold: t.exposeFloat('threshold', { nullable: true, description: 'The map threshold, 0 to 255.' }),
    meanIou: t.exposeFloat('meanIou', { nullable: true }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why there is no curve, or why it is not to be trusted.' }),
    points: t.expose('points', { type: [LocalizationPoint] }),
  }),
});

export const EvaluationType = builder.prismaObject('Evaluation', {
  description: 'One run measured on the test images of one data set by one protocol.',
  fields: (t) => ({
    id: t.exposeID('id'),
    run: t.relation('run'),
    dataSet: t.relation('dataSet', { nullable: true }),
    protocol: t.field({
      type: ProtocolType,
      resolve: ({ protocol, protocolDescription }) => ({ name: protocol, description: protocolDescription }),
    }),
    auc: t.relation('auc', { query: { orderBy: { finding: 'asc' } } }),
    meanAuc: t.exposeFloat('meanAuc', { nullable: true, description: 'Over the findings with both classes.' }),
    meanAucLow: t.exposeFloat('meanAucLow', {
      nullable: true,
      description: '95 % interval by bootstrap over patients; null if a finding in the mean has few cases.',
    }),
    meanAucHigh: t.exposeFloat('meanAucHigh', { nullable: true }),
    meanAucReason: t.string({
      nullable: true,
      description: 'Why the mean has no interval: `few cases`.',
      select: { auc: { select: { positives: true, negatives: true } } },
      resolve: ({ auc }) => (meanHasInterval(auc) ? null : FEW_CASES_REASON),
    }),
    images: t.exposeInt('images', { description: 'Test images that were measured.' }),
    excludedPatients: t.exposeInt('excludedPatients', {
      description: 'Patients of the test images that were not scored, because the run had trained on them.',
    }),
    seed: t.exposeInt('seed', { description: 'Of folds and bootstrap.' }),
    localization: t.field({
      type: [LocalizationCurveType],
      description: 'Curves of the run and of the controls, by finding.',
      select: {
        localization: { orderBy: [{ finding: 'asc' }, { kind: 'asc' }], include: { points: { orderBy: { iouThreshold: 'asc' } } } },
      },
      resolve: ({ localization, ...evaluation }) => localization.map((row) => curveOf(row, evaluation)),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});
