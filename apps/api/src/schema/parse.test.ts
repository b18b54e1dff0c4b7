import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isObjectType,
} from 'graphql';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { schema } from './schema.ts';

/** `Type.field.argument` of every argument, and every field of an input type in it, that the `parse` of its field does not name. */
function unparsed(made: GraphQLSchema): string[] {
  const types = Object.values(made.getTypeMap()).filter(isObjectType);
  return types
    .filter(({ name }) => !name.startsWith('__')) // introspection is GraphQL's own
    .flatMap((type) =>
      Object.values(type.getFields()).flatMap(({ name, args, extensions }) => {
        const options = extensions['pothosOptions'] as { parse?: z.ZodType } | undefined;
        return missing(`${type.name}.${name}`, args, options?.parse);
      }),
    );
}

function missing(where: string, inputs: readonly (GraphQLArgument | GraphQLInputField)[], parse: z.core.$ZodType | undefined): string[] {
  const shape = shapeOf(parse);
  return inputs.flatMap(({ name, type }) => {
    const own = shape[name];
    if (!own) return [`${where}.${name}`];
    const named = getNamedType(type);
    return isInputObjectType(named) ? missing(`${where}.${name}`, Object.values(named.getFields()), own) : [];
  });
}

function shapeOf(parse: z.core.$ZodType | undefined): z.core.$ZodShape {
  if (parse instanceof z.ZodOptional || parse instanceof z.ZodNullable || parse instanceof z.ZodArray) return shapeOf(parse.unwrap());
  return parse instanceof z.ZodObject ? parse.shape : {};
}

it('names every argument of every field', () => {
  expect(unparsed(schema)).toEqual([]);
});

it('is missed where there is none, and where it does not reach', () => {
  const made = buildSchema('type Query { studies(first: Int, filter: Filter): Int } input Filter { text: String }');
  expect(unparsed(made)).toEqual(['Query.studies.first', 'Query.studies.filter']);
  const parse = z.strictObject({ first: z.int().nullish(), filter: z.strictObject({}).nullish() });
  made.getQueryType()!.getFields()['studies']!.extensions = { pothosOptions: { parse } };
  expect(unparsed(made)).toEqual(['Query.studies.filter.text']);
});
