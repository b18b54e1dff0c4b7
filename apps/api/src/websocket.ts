import { GraphQLError } from 'graphql';
import { makeHandler } from 'graphql-ws/use/@fastify/websocket';
import { createContext, type Services } from './context.ts';
import { publicGraphqlErrors } from './errors.ts';
import { limitedParse, limitedValidate } from './limits.ts';
import { schema } from './schema/schema.ts';

/** GraphQL over WebSocket (graphql-transport-ws), with the limits and the errors of HTTP. */
export function subscriptionHandler(services: Services) {
  return makeHandler({
    schema,
    validate: limitedValidate,
    context: ({ extra: { request } }, id) => createContext(services, { requestId: `${request.id}/${id}`, log: request.log }),
    onSubscribe: (_context, _id, { query }) => {
      try {
        limitedParse(query);
      } catch (error) {
        return [error instanceof GraphQLError ? error : new GraphQLError('The query could not be read.')];
      }
    },
    onNext: ({ extra: { request } }, id, _payload, _args, result) => {
      const { data = null, errors } = result;
      if (!errors) return;
      const scope = { log: request.log, requestId: `${request.id}/${id}` };
      return { data, errors: publicGraphqlErrors(errors, scope) };
    },
    onError: ({ extra: { request } }, id, _payload, errors) =>
      publicGraphqlErrors(errors, { log: request.log, requestId: `${request.id}/${id}` }),
  });
}
