import { builder, NEWEST_FIRST } from './builder.ts';

export const DataSetType = builder.prismaObject('DataSet', {
  description: 'A prepared data set.',
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    size: t.exposeInt('size', { description: 'Edge of its square images in pixels.' }),
    synthetic: t.exposeBoolean('synthetic', { description: 'True for phantoms: no person was imaged.' }),
    datasetHash: t.exposeString('datasetHash'),
    splitHash: t.exposeString('splitHash'),
    preprocessingVersion: t.exposeString('preprocessingVersion'),
    trainImages: t.exposeInt('trainImages'),
    validationImages: t.exposeInt('validationImages'),
    testImages: t.exposeInt('testImages'),
    boxedPairs: t.exposeInt('boxedPairs', { description: 'Test pairs of image and finding with a known box.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

builder.queryField('dataSets', (t) =>
  t.prismaField({
    type: ['DataSet'],
    description: 'Newest first.',
    resolve: (query, _root, _args, { prisma }) => prisma.dataSet.findMany({ ...query, orderBy: NEWEST_FIRST }),
  }),
);
