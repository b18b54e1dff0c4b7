/** The only error codes of the project: the API's `extensions.code`, the CLI's exit code and the jobs' `error.code` come from them. */
export const ERROR_CODES = [
  'BAD_INPUT',
  'NOT_FOUND',
  'CORRUPT',
  'UNSUPPORTED',
  'TOO_LARGE',
  'CONFLICT',
  'UNAVAILABLE',
  'CANCELLED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** An error a person can act on: the message says what was wrong, where, what was expected, and what to do. */
export class CxrError extends Error {
  override readonly name = 'CxrError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Throws CANCELLED once the signal is aborted; `what` is the work that stops, as a person reads it. */
export function throwIfCancelled(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new CxrError('CANCELLED', `${what} was stopped on request.`);
}
