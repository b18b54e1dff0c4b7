import type { WebSocket, WebsocketHandler } from '@fastify/websocket';
import { GraphQLError } from 'graphql';
import { makeHandler } from 'graphql-ws/use/@fastify/websocket';
import { createContext, type Services } from './context.ts';
import { publicGraphqlErrors } from './errors.ts';
import { limitedParse, limitedValidate } from './limits.ts';
import { schema } from './schema/schema.ts';

const MAX_SOCKETS = 500;
const MESSAGES_A_SECOND = 200;
const MAX_SUBSCRIPTIONS = 100;
const MAX_UNREAD = 1024 ** 2;

/** GraphQL over WebSocket (graphql-transport-ws), with the limits and the errors of HTTP. */
export function subscriptionHandler(services: Services) {
  let open = 0;
  const handle = makeHandler({
    schema,
    validate: limitedValidate,
    context: ({ extra: { request } }, id) => createContext(services, { requestId: `${request.id}/${id}`, log: request.log }),
    onSubscribe: ({ subscriptions }, _id, { query }) => {
      if (Object.keys(subscriptions).length > MAX_SUBSCRIPTIONS)
        return [
          new GraphQLError(`A WebSocket may have ${MAX_SUBSCRIPTIONS} subscriptions at once: end one of them, or open another socket.`),
        ];
      try {
        limitedParse(query);
      } catch (error) {
        return [error instanceof GraphQLError ? error : new GraphQLError('The query could not be read.')];
      }
    },
    onNext: ({ extra: { request, socket } }, id, _payload, _args, result) => {
      // Who does not read must not fill the memory; a client that still wants to know connects again.
      if (socket.bufferedAmount > MAX_UNREAD) socket.terminate();
      const { data = null, errors } = result;
      if (!errors) return;
      const scope = { log: request.log, requestId: `${request.id}/${id}` };
      return { data, errors: publicGraphqlErrors(errors, scope) };
    },
    onError: ({ extra: { request } }, id, _payload, errors) =>
      publicGraphqlErrors(errors, { log: request.log, requestId: `${request.id}/${id}` }),
  });
  const handler: WebsocketHandler = function limited(socket, request) {
    if (open >= MAX_SOCKETS) {
      socket.close(1013, 'Too many WebSockets are open: try again later');
      return;
    }
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
    limitMessages(socket);
    return handle.call(this, socket, request);
  };
  return handler;
}

/** Reads no more than so many messages a second; what else the client sends waits on its side. */
function limitMessages(socket: WebSocket): void {
  let left = MESSAGES_A_SECOND;
  let timer: NodeJS.Timeout | null = null;
  const goOn = (): void => {
    left = MESSAGES_A_SECOND;
    timer = null;
    socket.resume();
  };
  socket.on('message', () => {
    left -= 1;
    timer ??= setTimeout(goOn, 1000);
    if (left <= 0) socket.pause();
  });
  socket.once('close', () => timer && clearTimeout(timer));
}
