import { getDatamodel, type Prisma, type PrismaTypes } from '@cxr-lens/prisma';
import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import type { Context } from '../context.ts';
import './parse.ts';

// One unit is one field resolved. The study page with every map of two runs and the compare page of seven runs cost below 20,000.
const MAX_COMPLEXITY = 50_000;

/** Collects the types, queries and mutations of the domain files beside it; `schema.ts` makes the schema. */
export const builder = new SchemaBuilder<{
  PrismaTypes: PrismaTypes;
  Context: Context;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: never; Output: Date };
    // Options alone come in as JSON, and their schema lets nothing through but an object.
    JSON: { Input: Record<string, unknown>; Output: unknown };
  };
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}>({
  plugins: ['parse', ComplexityPlugin, RelayPlugin, DataloaderPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  prisma: {
    client: (context) => context.prisma,
    dmmf: getDatamodel(),
    maxConnectionSize: 100,
    defaultConnectionSize: 20,
    onUnusedQuery: null,
  },
  complexity: { limit: { complexity: MAX_COMPLEXITY } },
  relay: {
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    edgesFieldOptions: { nullable: false },
    nodeFieldOptions: { nullable: false },
  },
});

/** Newest first; the id makes the order of rows of one instant certain. */
export const NEWEST_FIRST = [{ createdAt: 'desc' }, { id: 'desc' }] satisfies Prisma.RunOrderByWithRelationInput[];

builder.queryType({});
builder.mutationType({});
builder.subscriptionType({});
