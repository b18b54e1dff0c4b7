import { ApolloArmor } from '@escape.tech/graphql-armor';
import { GraphQLError, parse, specifiedRules, type ValidationRule, validate } from 'graphql';

// The deepest question of the dashboard is 9 deep: studies, edges, node, images, explanations, run, method, ...
const MAX_DEPTH = 14;
const MAX_ALIASES = 30;
const MAX_DIRECTIVES = 20;

/** A query of the dashboard has some 300 tokens; introspection has 240. */
export const parseOptions = { maxTokens: 3000 };

/** Refuses what is too deep or repeats too much before it runs; what it costs is counted while it runs (schema/cost.ts). */
export const validationRules: ValidationRule[] = new ApolloArmor({
  maxDepth: { n: MAX_DEPTH, flattenFragments: true },
  maxAliases: { n: MAX_ALIASES },
  maxDirectives: { n: MAX_DIRECTIVES },
  costLimit: { enabled: false },
  maxTokens: { enabled: false },
  blockFieldSuggestion: { enabled: false },
}).protect().validationRules;

/** For HTTP, where there is one answer. */
export const noSubscription: ValidationRule = (context) => ({
  OperationDefinition: (node) => {
    if (node.operation !== 'subscription') return;
    const message = 'Subscriptions need a WebSocket at /graphql (protocol graphql-transport-ws); over HTTP ask the query of the same name.';
    context.reportError(new GraphQLError(message, { nodes: node }));
  },
});

/** For the WebSocket: the same limits that Apollo applies to HTTP. */
export const limitedValidate: typeof validate = (schema, document, rules) =>
  validate(schema, document, [...(rules ?? specifiedRules), ...validationRules]);

export const limitedParse: typeof parse = (source, options) => parse(source, { ...options, ...parseOptions });
