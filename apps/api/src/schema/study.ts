import { CxrError, FINDINGS } from '@cxr-lens/data';
import type { Prisma } from '@cxr-lens/prisma';
import { z } from 'zod';
import { ByIdSchema, FindingNamesSchema, PageSchema, RunIdsSchema, TextSchema } from '../input.ts';
import { deleteStudy } from '../studies.ts';
import { BoxType } from './box.ts';
import { builder, NEWEST_FIRST } from './builder.ts';
import { ExplanationType } from './explanation.ts';
import { FindingNameEnum, FindingType, findingOf } from './finding.ts';

builder.prismaObject('KnownBox', {
  fields: (t) => ({
    finding: t.field({ type: FindingType, resolve: findingOf }),
    box: t.field({ type: BoxType, resolve: ({ x, y, width, height }) => ({ x, y, width, height }) }),
  }),
});

builder.prismaObject('Image', {
  fields: (t) => ({
    id: t.exposeID('id'),
    url: t.string({ description: 'PNG, 8 bit grey.', resolve: ({ id }) => `/images/${id}.png` }),
    width: t.exposeInt('width'),
    height: t.exposeInt('height'),
    fileName: t.exposeString('fileName', { nullable: true }),
    view: t.exposeString('view', { nullable: true, description: 'PA or AP where known.' }),
    sopInstanceUid: t.exposeString('sopInstanceUid'),
    study: t.relation('study'),
    boxes: t.relation('boxes', { query: { orderBy: { finding: 'asc' } }, description: 'Ground truth, where known.' }),
    explanations: t.field({
      type: [ExplanationType],
      description: 'Ordered by run (oldest first), then finding; all of both unless asked for fewer.',
      args: { runs: t.arg.idList(), findings: t.arg({ type: [FindingNameEnum] }) },
      parse: z.strictObject({ runs: RunIdsSchema.nullish(), findings: FindingNamesSchema.nullish() }),
      select: ({ runs, findings }, _context, nested) => ({
        explanations: nested({
          where: { ...(runs ? { runId: { in: runs } } : {}), ...(findings ? { finding: { in: findings } } : {}) },
          orderBy: [{ run: { createdAt: 'asc' } }, { runId: 'asc' }],
        }),
      }),
      resolve: ({ explanations }) => inFindingOrder(explanations),
    }),
    jobs: t.relation('jobs', { query: { orderBy: NEWEST_FIRST }, description: 'Newest first.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

/** Rows in the order of their runs; within a run in the order of FINDINGS. */
const FINDING_ORDER: readonly string[] = FINDINGS;

function inFindingOrder<Row extends { runId: string; finding: string }>(rows: readonly Row[]): Row[] {
  const runs = [...new Set(rows.map(({ runId }) => runId))];
  const rank = ({ runId, finding }: Row): number => runs.indexOf(runId) * FINDINGS.length + FINDING_ORDER.indexOf(finding);
  return rows.toSorted((a, b) => rank(a) - rank(b));
}

builder.prismaObject('Study', {
  fields: (t) => ({
    id: t.exposeID('id'),
    studyInstanceUid: t.exposeString('studyInstanceUid'),
    accessionNumber: t.exposeString('accessionNumber', { nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    images: t.relation('images', {
      description: 'Oldest first; all of them unless asked for fewer.',
      args: { first: t.arg.int() },
      parse: z.strictObject({ first: z.int().min(0, 'expected 0 or more').nullish() }),
      query: ({ first }) => ({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }], ...(first == null ? {} : { take: first }) }),
    }),
    imageCount: t.relationCount('images'),
  }),
});

const StudyFilter = builder.inputType('StudyFilter', {
  fields: (t) => ({ text: t.string({ description: 'Part of a file name, accession number or study UID.' }) }),
});

const StudiesSchema = PageSchema.extend({ filter: z.strictObject({ text: TextSchema.nullish() }).nullish() });

/** Any of a study's texts contains what was asked, in any case. */
function matching({ filter }: z.infer<typeof StudiesSchema>) {
  if (!filter?.text) return {};
  const contains = { contains: filter.text, mode: 'insensitive' } as const;
  return { OR: [{ studyInstanceUid: contains }, { accessionNumber: contains }, { images: { some: { fileName: contains } } }] };
}

const StudyKeySchema = z
  .strictObject({ id: TextSchema.nullish(), studyInstanceUid: TextSchema.nullish(), accessionNumber: TextSchema.nullish() })
  .refine((key) => Object.keys(given(key)).length === 1, 'give exactly one of id, studyInstanceUid and accessionNumber');

/** What is not null of it. */
function given(key: Record<string, string | null | undefined>): Prisma.StudyWhereInput {
  return Object.fromEntries(Object.entries(key).filter(([, value]) => value != null));
}

builder.queryFields((t) => ({
  studies: t.prismaConnection(
    {
      type: 'Study',
      cursor: 'id',
      description: 'Newest first; 20 unless asked, 100 at most.',
      args: { filter: t.arg({ type: StudyFilter }) },
      parse: StudiesSchema,
      totalCount: (_root, args, { prisma }) => prisma.study.count({ where: matching(args) }),
      resolve: (query, _root, args, { prisma }) => prisma.study.findMany({ ...query, where: matching(args), orderBy: NEWEST_FIRST }),
    },
    { name: 'StudyConnection' },
    { name: 'StudyEdge' },
  ),
  study: t.prismaField({
    type: 'Study',
    nullable: true,
    description: 'By exactly one of the three; the newest one where several have the accession number.',
    args: { id: t.arg.id(), studyInstanceUid: t.arg.string(), accessionNumber: t.arg.string() },
    parse: StudyKeySchema,
    resolve: (query, _root, key, { prisma }) => prisma.study.findFirst({ ...query, where: given(key), orderBy: NEWEST_FIRST }),
  }),
  image: t.prismaField({
    type: 'Image',
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    parse: ByIdSchema,
    resolve: (query, _root, { id }, { prisma }) => prisma.image.findUnique({ ...query, where: { id } }),
  }),
}));

builder.mutationFields((t) => ({
  deleteStudy: t.boolean({
    description: 'Deletes the study with its images, explanations and stored bytes.',
    args: { id: t.arg.id({ required: true }) },
    parse: ByIdSchema,
    resolve: async (_root, { id }, { prisma, jobs }) => {
      const deleted = await deleteStudy({ prisma, jobs }, id);
      if (!deleted) throw new CxrError('NOT_FOUND', `There is no study ${id}.`);
      return true;
    },
  }),
}));
