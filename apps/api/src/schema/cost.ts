import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type InputFieldMap,
  type PothosOutputFieldConfig,
  type SchemaTypes,
  type TypeParam,
} from '@pothos/core';
import {
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  getNamedType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { type Budget, createBudget } from '../budget.ts';
import type { Context } from '../context.ts';
import { pace, TURN_FIELDS } from '../pace.ts';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      cost: CostPlugin<Types>;
    }
    export interface FieldOptions<
      Types extends SchemaTypes = SchemaTypes,
      ParentShape = unknown,
      Type extends TypeParam<Types> = TypeParam<Types>,
      Nullable extends FieldNullability<Type> = FieldNullability<Type>,
      Args extends InputFieldMap = InputFieldMap,
      ResolveShape = unknown,
      ResolveReturnShape = unknown,
    > {
      /** Fields that it counts as beside those below it: for what is computed. */
      cost?: number;
    }
  }
}

/**
 * Counts the fields that a query resolves against its budget: a list costs its real length, before anything below it is resolved.
 * Long lists are resolved over several turns of the event loop.
 */
class CostPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context']>,
    { kind, type, pothosOptions }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context']> {
    if (kind === 'Query' || kind === 'Mutation' || kind === 'Subscription') {
      const cost = pothosOptions.cost ?? 0;
      const list = type.kind === 'List';
      return (parent, args, given, info) => {
        const context = given as unknown as Context;
        // A subscription keeps its context for hours.
        if (kind === 'Subscription') context.budget = createBudget();
        const { budget } = context;
        budget.fields(1 + cost + (list ? 0 : below(info)));
        const resolved = Promise.resolve(resolver(parent, args, given, info));
        // What is written goes on in any case: whoever asked waits for its end.
        const answer = kind === 'Mutation' ? resolved : budget.within(resolved);
        return list ? answer.then((items) => counted(items, context, info)) : answer;
      };
    }
    const list = type.kind === 'List';
    return (parent, args, given, info) => {
      try {
        const answer: unknown = resolver(parent, args, given, info);
        if (!list) return answer;
        const context = given as unknown as Context;
        return answer instanceof Promise ? answer.then((items) => counted(items, context, info)) : counted(answer, context, info);
      } catch (error) {
        // GraphQL forgets the promises of a list's other items when one throws: the first of them that rejects would end the process.
        return Promise.reject(error);
      }
    };
  }
}

function counted(items: unknown, { budget }: Context, info: GraphQLResolveInfo): unknown {
  if (!Array.isArray(items)) return items;
  const each = below(info) + 1;
  // Numbers and texts: `values` of maps has a limit of its own, and the others are short.
  if (each === 1) return items;
  budget.fields(items.length * each);
  const together = Math.max(1, Math.floor(TURN_FIELDS / each));
  const turn = pace(Math.min(items.length, together) * each);
  return turn ? turn.then(() => inTurns(items, budget, { each, together })) : inTurns(items, budget, { each, together });
}

/** The items, those above what one turn of the event loop resolves as promises for later turns. */
function inTurns(items: readonly unknown[], budget: Budget, { each, together }: { each: number; together: number }): unknown[] {
  budget.check();
  let stopped = false;
  let turn: Promise<void> | null = null;
  return items.map((item, index) => {
    if (index >= together && index % together === 0) turn = pace(Math.min(together, items.length - index) * each);
    if (!turn) return item;
    const later = turn.then(() => {
      // The first item that rejects ends the list, as none may be null; an error for each of the others would cost more than they do.
      if (stopped) return NEVER;
      stopped = budget.isOver();
      budget.check();
      return item;
    });
    later.catch(() => undefined); // when an item before it failed, nobody waits for it
    return later;
  });
}

const NEVER = new Promise<never>(() => undefined);

/** Fields below this one for each of its items, without those in lists, which are counted when their length is known. */
function below({ fieldNodes, returnType, fragments }: GraphQLResolveInfo): number {
  const type = getNamedType(returnType);
  if (!isObjectType(type)) return 0;
  return fieldNodes.reduce((sum, { selectionSet }) => sum + (selectionSet ? fieldsIn(selectionSet, type, fragments) : 0), 0);
}

// A fragment that others spread many times over is counted once.
const counts = new WeakMap<SelectionSetNode, number>();

function fieldsIn(set: SelectionSetNode, type: GraphQLObjectType, fragments: GraphQLResolveInfo['fragments']): number {
  const known = counts.get(set);
  if (known !== undefined) return known;
  let count = 0;
  for (const selection of set.selections) {
    if (selection.kind === Kind.INLINE_FRAGMENT) count += fieldsIn(selection.selectionSet, type, fragments);
    else if (selection.kind === Kind.FRAGMENT_SPREAD) count += fieldsIn(fragments[selection.name.value]!.selectionSet, type, fragments);
    else {
      count += 1;
      const field = type.getFields()[selection.name.value]?.type;
      const named = field && getNamedType(field);
      if (selection.selectionSet && isObjectType(named) && !isList(field!)) count += fieldsIn(selection.selectionSet, named, fragments);
    }
  }
  counts.set(set, count);
  return count;
}

const isList = (type: GraphQLOutputType): boolean => isListType(type) || (isNonNullType(type) && isList(type.ofType));

SchemaBuilder.registerPlugin('cost', CostPlugin);
