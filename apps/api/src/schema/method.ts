import { METHOD_NAMES, METHODS, type MethodName } from '@cxr-lens/model/spec';
import { builder } from './builder.ts';

const enumName = (method: MethodName): string => method.toUpperCase().replaceAll('-', '_');

export const MethodNameEnum = builder.enumType('MethodName', {
  values: Object.fromEntries(METHOD_NAMES.map((method) => [enumName(method), { value: method }])) as Record<string, { value: MethodName }>,
});

export const MethodType = builder.objectRef<{ name: MethodName }>('Method').implement({
  description: 'A training objective of the paper.',
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
  }),
});

builder.queryField('methods', (t) => t.field({ type: [MethodType], resolve: () => METHOD_NAMES.map((name) => ({ name })) }));
