import { type DestinationStream, type Logger, pino } from 'pino';

/** One line of JSON an event. Errors of the database driver carry their whole connection, password included: only name, message and stack are logged. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = { level, base: { app: 'api' }, serializers: { err: withoutExtras } };
  return destination ? pino(options, destination) : pino(options);
}

function withoutExtras(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const cause = error.cause === undefined ? {} : { cause: withoutExtras(error.cause) };
  return { type: error.name, message: error.message, stack: error.stack, ...cause };
}
