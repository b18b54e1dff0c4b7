import { FINDINGS, type Finding, findingLabel, isBoxedFinding, parseFinding } from '@cxr-lens/data';
import { builder } from './builder.ts';

export const FindingNameEnum = builder.enumType('FindingName', { values: FINDINGS });

const FindingRef = builder.objectRef<{ name: Finding }>('Finding');

/** A type whose rows name their finding. */
export const FindingType = FindingRef.implement({
  description: 'One of the 14 findings of ChestX-ray14.',
  fields: (t) => ({
    name: t.field({ type: FindingNameEnum, resolve: ({ name }) => name }),
    label: t.string({ resolve: ({ name }) => findingLabel(name) }),
    boxed: t.boolean({
      description: 'True for the eight findings that have boxes in the NIH box list.',
      resolve: ({ name }) => isBoxedFinding(name),
    }),
  }),
});

/** The finding of a row's `finding` column. */
export const findingOf = (row: { finding: string }): { name: Finding } => ({ name: parseFinding(row.finding) });

builder.queryField('findings', (t) => t.field({ type: [FindingType], resolve: () => FINDINGS.map((name) => ({ name })) }));
