import { getDatamodel, type Prisma, type PrismaTypes } from '@cxr-lens/prisma';
import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import type { Context } from '../context.ts';
import './cost.ts';
import './parse.ts';

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
  plugins: ['parse', 'cost', RelayPlugin, DataloaderPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  prisma: {
    client: (context) => context.prisma,
    dmmf: getDatamodel(),
    maxConnectionSize: 100,
    defaultConnectionSize: 20,
    onUnusedQuery: null,
  },
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
