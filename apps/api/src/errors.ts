import { CxrError, type ErrorCode } from '@cxr-lens/data';
import { isDatabaseAway } from '@cxr-lens/prisma';
import type { FastifyBaseLogger } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

const HTTP_STATUS: Record<ErrorCode, number> = {
  BAD_INPUT: 400,
  NOT_FOUND: 404,
  CORRUPT: 422,
  UNSUPPORTED: 415,
  TOO_LARGE: 413,
  CONFLICT: 409,
  UNAVAILABLE: 503,
  CANCELLED: 409,
  INTERNAL: 500,
};

/** 507: the disk is nearly full. UNAVAILABLE for whoever reads the code alone. */
export class InsufficientStorage extends CxrError {
  constructor(message: string) {
    super('UNAVAILABLE', message);
  }
}

/** The status of an answer that is one error. */
export const answerStatus = (error: unknown, code: ErrorCode): number => (error instanceof InsufficientStorage ? 507 : statusOf(code));

export const statusOf = (code: ErrorCode): number => HTTP_STATUS[code];

/** What may be told to whoever asked. */
export interface PublicError {
  code: ErrorCode;
  message: string;
}

/** A CxrError as it is; anything else is masked and logged here, once, under the id of its request. */
export function publicError(error: unknown, { log, requestId }: Request): PublicError {
  if (error instanceof CxrError && error.code !== 'INTERNAL') return { code: error.code, message: error.message };
  if (isDatabaseAway(error)) {
    log.warn({ err: error, requestId }, 'the database does not answer');
    return {
      code: 'UNAVAILABLE',
      message: 'The database does not answer now, or has no connection free. Send the same again in some seconds.',
    };
  }
  const status = (error as { statusCode?: number } | null)?.statusCode;
  // Fastify's own refusals: a body that is no JSON, a method that is not there.
  if (error instanceof Error && status && status >= 400 && status < 500) {
    return {
      code: status === 404 ? 'NOT_FOUND' : status === 413 ? 'TOO_LARGE' : status === 415 ? 'UNSUPPORTED' : 'BAD_INPUT',
      message: error.message,
    };
  }
  log.error({ err: error, requestId }, 'unexpected error');
  return { code: 'INTERNAL', message: `Something went wrong here, not with what you sent. The log tells more under request ${requestId}.` };
}

/** The errors of an answer: `extensions` hold the code and the request id, nothing of the inside. One cause that stopped many fields is told once. */
export function publicGraphqlErrors(errors: readonly GraphQLError[], request: Request): GraphQLFormattedError[] {
  const told = new Set<unknown>();
  return errors.flatMap((error) => {
    const cause = rootCause(error);
    if (cause !== null && told.has(cause)) return [];
    told.add(cause);
    return [publicGraphqlError(error, request)];
  });
}

interface Request {
  log: FastifyBaseLogger;
  requestId: string;
}

function publicGraphqlError(error: GraphQLError, request: Request): GraphQLFormattedError {
  const { locations, path } = error.toJSON();
  const cause = rootCause(error);
  // Without a cause it is GraphQL's own: syntax, unknown field, a variable of the wrong type, too deep, too complex.
  const { code, message } =
    cause === null ? ({ code: 'BAD_INPUT', message: error.message } satisfies PublicError) : publicError(cause, request);
  return { message, ...(locations ? { locations } : {}), ...(path ? { path } : {}), extensions: { code, requestId: request.requestId } };
}

function rootCause(error: GraphQLError): unknown {
  const cause: unknown = error.originalError;
  if (cause === undefined || cause === null) return null;
  return cause instanceof GraphQLError ? rootCause(cause) : cause;
}
