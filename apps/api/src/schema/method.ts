import { METHOD_NAMES, METHODS, type MethodName } from '@cxr-lens/model/spec';
import { type MapKind, mapKind, methodFolds, methodNote } from '../methods.ts';
import { builder } from './builder.ts';

const enumName = (method: MethodName): string => method.toUpperCase().replaceAll('-', '_');

export const MethodNameEnum = builder.enumType('MethodName', {
  values: Object.fromEntries(METHOD_NAMES.map((method) => [enumName(method), { value: method }])) as Record<string, { value: MethodName }>,
});

const MapKindEnum = builder.enumType('MapKind', {
  description: 'What shows where a method looks: signed, in the unit of the logit; in [0, 1]; or the change in grey of the decoded image.',
  values: ['CAM', 'PATCH_SCORES', 'WALK_DIFFERENCE'] as const satisfies MapKind[],
});

export const MethodType = builder.objectRef<{ name: MethodName }>('Method').implement({
  description: 'A training objective of the paper, or one beside it.',
  fields: (t) => ({
    name: t.field({ type: MethodNameEnum, resolve: ({ name }) => name }),
    label: t.string({ resolve: ({ name }) => METHODS[name].label }),
    description: t.string({ resolve: ({ name }) => `${METHODS[name].description} (${METHODS[name].section})` }),
    startsFrom: t.field({
      type: MethodNameEnum,
      nullable: true,
      description: 'The method whose finished run its training starts from; null where it starts from the initialisation.',
      resolve: ({ name }) => METHODS[name].startsFrom,
    }),
    note: t.string({
      nullable: true,
      description: 'What has to be said wherever it is shown beside others, and why its curves are drawn apart.',
      resolve: ({ name }) => methodNote(name),
    }),
    map: t.field({ type: MapKindEnum, resolve: ({ name }) => mapKind(name) }),
    protocols: t.stringList({
      description: 'Names of the protocols that measure its localisation, the main one first.',
      resolve: ({ name }) => [...METHODS[name].protocols],
    }),
    published: t.field({
      type: 'JSON',
      nullable: true,
      description: "Options of the recipe that its network was published with (recipe=published); null where the paper's is its own.",
      resolve: ({ name }) => METHODS[name].published,
    }),
    folds: t.int({
      nullable: true,
      description: 'Parts of the boxed patients, of which a run leaves one out (option fold, from 0); null where no boxes are trained on.',
      resolve: ({ name }) => methodFolds(name),
    }),
  }),
});

builder.queryField('methods', (t) => t.field({ type: [MethodType], resolve: () => METHOD_NAMES.map((name) => ({ name })) }));
