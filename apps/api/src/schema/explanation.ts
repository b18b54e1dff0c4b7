import { decodeNpy, getObject } from '@cxr-lens/data';
import type { Explanation } from '@cxr-lens/prisma';
import { type Evidence, evidenceKey, loadEvidence } from '../evidence.ts';
import { boxOf, boxReason } from '../explanations.ts';
import { BoxType } from './box.ts';
import { builder } from './builder.ts';
import { FindingType, findingOf } from './finding.ts';

type MapKind = 'cam' | 'saliency';

interface MapRow {
  kind: MapKind;
  explanationId: string;
  key: string;
  width: number;
  height: number;
  min: number;
  max: number;
}

const mapUrl = ({ kind, explanationId, key }: MapRow, extension: 'png' | 'npy'): string =>
  `/explanations/${explanationId}/${kind}.${extension}?v=${key.slice(0, 16)}`;

const MapRef = builder.objectRef<MapRow>('MapRef').implement({
  description:
    'A raw map: what shows where the method looks (Method.map), a CAM signed; or saliency, the raw gradient at the size of the input.',
  fields: (t) => ({
    url: t.string({ description: 'PNG for looking at.', resolve: (map) => mapUrl(map, 'png') }),
    npyUrl: t.string({ description: 'float32 [height, width] as NPY.', resolve: (map) => mapUrl(map, 'npy') }),
    width: t.exposeInt('width'),
    height: t.exposeInt('height'),
    min: t.exposeFloat('min'),
    max: t.exposeFloat('max'),
    values: t.floatList({
      description: 'Row-major; at most 65,536 numbers in one query, more come from npyUrl.',
      resolve: async (map, _args, { budget }) => {
        budget.cells(map.width * map.height, mapUrl(map, 'npy'));
        return Array.from(decodeNpy(await getObject(map.key), `${map.kind} of explanation ${map.explanationId}`).data);
      },
    }),
  }),
});

const EvidenceType = builder.objectRef<Evidence>('Evidence').implement({
  description: 'How often such a finding was located right by this run.',
  fields: (t) => ({
    iouThreshold: t.exposeFloat('iouThreshold'),
    accuracy: t.exposeFloat('accuracy', { nullable: true }),
    low: t.exposeFloat('low', { nullable: true }),
    high: t.exposeFloat('high', { nullable: true }),
    pairs: t.exposeInt('pairs'),
    auc: t.exposeFloat('auc', { nullable: true }),
    statement: t.exposeString('statement'),
  }),
});

const Pins = builder.objectRef<Explanation>('Pins').implement({
  description: 'The versions that made the answer.',
  fields: (t) => ({
    runId: t.exposeID('runId'),
    weightsSha256: t.exposeString('weightsSha256'),
    cardSha256: t.exposeString('cardSha256'),
    preprocessingVersion: t.exposeString('preprocessingVersion'),
    codeVersion: t.exposeString('codeVersion'),
    datasetHash: t.exposeString('datasetHash'),
  }),
});

const BitsSource = builder.enumType('BitsSource', {
  description: 'What says how many bits of a 16-bit file are in use.',
  values: {
    CARD: { value: 'card', description: "The run's card: the number of the data it was trained on." },
    SBIT: { value: 'sbit', description: "The file's sBIT chunk." },
    GUESS: { value: 'guess', description: "The smallest of 8, 10, 12, 14 and 16 that holds the file's greatest value." },
  } as const,
});

interface BitsInUse {
  bits: number;
  source: 'card' | 'sbit' | 'guess';
}

const BitsInUseType = builder.objectRef<BitsInUse>('BitsInUse').implement({
  description: 'How a 16-bit file was read: value * 255 / (2 ^ bits - 1).',
  fields: (t) => ({
    bits: t.exposeInt('bits'),
    source: t.expose('source', { type: BitsSource }),
  }),
});

function bitsOf({ bits, bitsSource }: Explanation): BitsInUse | null {
  return bits === null || bitsSource === null ? null : { bits, source: bitsSource as BitsInUse['source'] };
}

export const ExplanationType = builder.prismaObject('Explanation', {
  description: 'What one run says of one finding in one image, where it looks, and how far to trust it.',
  fields: (t) => ({
    id: t.exposeID('id'),
    run: t.relation('run'),
    image: t.relation('image'),
    finding: t.field({ type: FindingType, resolve: findingOf }),
    logit: t.exposeFloat('logit', { description: "The network's raw output." }),
    probability: t.exposeFloat('probability', {
      nullable: true,
      description: 'Platt-scaled on the validation split; null with the reason under 10 positives.',
    }),
    probabilityReason: t.exposeString('probabilityReason', { nullable: true }),
    operatingPoint: t.exposeFloat('operatingPoint', {
      nullable: true,
      description: "Maximises Youden's J on the validation split; in the unit of probability.",
    }),
    decision: t.exposeBoolean('decision', { nullable: true, description: 'At or above the operating point.' }),
    camThreshold: t.exposeFloat('camThreshold', { nullable: true, description: "The protocol's map threshold, 0 to 255." }),
    cam: t.field({
      type: MapRef,
      resolve: (row) => ({
        kind: 'cam' as const,
        explanationId: row.id,
        key: row.camKey,
        width: row.camWidth,
        height: row.camHeight,
        min: row.camMin,
        max: row.camMax,
      }),
    }),
    saliency: t.field({
      type: MapRef,
      resolve: (row) => ({
        kind: 'saliency' as const,
        explanationId: row.id,
        key: row.saliencyKey,
        width: row.saliencyWidth,
        height: row.saliencyHeight,
        min: row.saliencyMin,
        max: row.saliencyMax,
      }),
    }),
    overlayUrl: t.string({
      description: 'PNG at the size of the image: the CAM over it, the box outlined.',
      resolve: ({ id, camKey }) => `/explanations/${id}/overlay.png?v=${camKey.slice(0, 16)}`,
    }),
    box: t.field({
      type: BoxType,
      nullable: true,
      description: 'Bounds the largest connected part of the region, in pixels of the image.',
      resolve: boxOf,
    }),
    boxReason: t.string({
      nullable: true,
      description: 'Why there is no box.',
      select: { run: { select: { method: true } } },
      resolve: (row) => boxReason(row),
    }),
    evidence: t.loadable({
      type: EvidenceType,
      nullable: true,
      description: "By the method's main protocol, on the test images of the run's newest evaluation; null before there is one.",
      load: (keys: string[], { prisma }) => loadEvidence(prisma, keys),
      // A subscription keeps its context for hours: it batches, and remembers nothing.
      loaderOptions: { cache: false },
      resolve: ({ runId, finding }) => evidenceKey(runId, finding),
    }),
    bitsInUse: t.field({
      type: BitsInUseType,
      nullable: true,
      description: 'How the network saw a 16-bit file; null for every other file, and where 0.1.0 explained it.',
      resolve: bitsOf,
    }),
    current: t.boolean({
      description: 'Whether the run still has the card that made this answer. False after its thresholds were chosen anew: explain again.',
      select: { run: { select: { cardSha256: true } } },
      resolve: ({ cardSha256, run }) => run.cardSha256 === null || run.cardSha256 === cardSha256,
    }),
    pins: t.field({ type: Pins, resolve: (row) => row }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});
