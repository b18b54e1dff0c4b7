import { AsyncLocalStorage } from 'node:async_hooks';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, RouteHandlerMethod } from 'fastify';
import { type Context, createContext, type Services } from './context.ts';
import { publicGraphqlErrors } from './errors.ts';
import { noSubscription, parseOptions, validationRules } from './limits.ts';
import { schema } from './schema/schema.ts';
import { subscriptionHandler } from './websocket.ts';

const requestIds = new AsyncLocalStorage<string>();

/** POST and GET /graphql by Apollo; a WebSocket on the GET route alone, as the handler of an upgrade must not see a POST. */
export async function graphqlRoutes(app: FastifyInstance, services: Services): Promise<void> {
  const server = new ApolloServer<Context>({
    schema,
    validationRules: [...validationRules, noSubscription],
    parseOptions,
    introspection: true,
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    cache: 'bounded',
    logger: app.log,
    stopOnTerminationSignals: false,
    // Errors from before there is a request context, as of a body without a query; all others are replaced below.
    formatError: ({ message }) => ({ message: message.trim(), extensions: { code: 'BAD_INPUT', requestId: requestIds.getStore() } }),
    plugins: [ApolloServerPluginLandingPageDisabled(), publicErrors],
  });
  await server.start();
  // Fastify itself lets requests end first; Apollo's drain plugin would wait for Fastify, and Fastify for this hook.
  app.addHook('onClose', () => server.stop());
  const apollo = fastifyApolloHandler(server, {
    context: async (request) => createContext(services, { requestId: request.id, log: request.log }),
  });
  const handler: RouteHandlerMethod = function handle(request, reply) {
    return requestIds.run(request.id, () => apollo.call(this, request, reply));
  };
  app.post('/graphql', handler);
  app.route({ method: 'GET', url: '/graphql', handler, wsHandler: subscriptionHandler(services) });
}

/** Every error of an answer gets its code and the request id; the unexpected are masked and logged once. */
const publicErrors: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    willSendResponse: async ({ errors, response, contextValue }) => {
      if (errors && response.body.kind === 'single') {
        response.body.singleResult.errors = publicGraphqlErrors(errors, contextValue);
      }
    },
  }),
};
