import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { plainArguments } from '../input.ts';
import { builder } from './builder.ts';
import './scalars.ts';
import './finding.ts';
import './method.ts';
import './data-set.ts';
import './run.ts';
import './evaluation.ts';
import './comparison.ts';
import './study.ts';
import './explanation.ts';
import './job.ts';
import './viewer.ts';

export const schema = withPlainArguments(builder.toSchema());

/** Pothos lets nobody replace the ID scalar: what questions and commands are given is looked at here, before any resolver. */
function withPlainArguments(made: GraphQLSchema): GraphQLSchema {
  for (const type of [made.getQueryType(), made.getMutationType(), made.getSubscriptionType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      const { resolve, subscribe } = field;
      if (resolve) field.resolve = (root, args, context, info) => resolve(root, plainArguments(args), context, info);
      if (subscribe) field.subscribe = (root, args, context, info) => subscribe(root, plainArguments(args), context, info);
    }
  }
  return made;
}

/** The text of apps/api/schema.graphql, as the formatter writes it: all that the dashboard knows of the system. */
export function printedSchema(): string {
  const text = printSchema(lexicographicSortSchema(schema));
  return `${text.replaceAll(/^( *)"""(.+)"""$/gm, '$1"""\n$1$2\n$1"""')}\n`;
}
