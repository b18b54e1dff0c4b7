import { lexicographicSortSchema, printSchema } from 'graphql';
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

export const schema = builder.toSchema();

/** The text of apps/api/schema.graphql, as the formatter writes it: all that the dashboard knows of the system. */
export function printedSchema(): string {
  const text = printSchema(lexicographicSortSchema(schema));
  return `${text.replaceAll(/^( *)"""(.+)"""$/gm, '$1"""\n$1$2\n$1"""')}\n`;
}
