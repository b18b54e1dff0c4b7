import type { TypedDocumentString } from '../gql/graphql.ts';

/** What the API refused or could not do: one of its error codes and a sentence for people. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
  }
}

interface Answer<Result> {
  data?: Result | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** Sends one query or mutation to the API at this page's own origin. ApiError: the API's code, or UNAVAILABLE when nobody answers. */
export async function request<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Result> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: document.toString(), variables }),
    ...(signal ? { signal } : {}),
  }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw new ApiError('UNAVAILABLE', 'The server does not answer.');
  });
  const answer = (await response.json().catch(() => null)) as Answer<Result> | null;
  const error = answer?.errors?.[0];
  if (error) throw new ApiError(error.extensions?.code ?? 'INTERNAL', error.message);
  if (!answer?.data) throw new ApiError('UNAVAILABLE', `The server answered with HTTP ${response.status} instead of data.`);
  return answer.data;
}

/** What a person can do about an error of this code; nothing where the API's own message always says it. */
export function remedy(code: string): string {
  return REMEDIES[code] ?? 'Try again; if it happens again, the log of the API names the reason.';
}

const REMEDIES: Record<string, string> = {
  BAD_INPUT: '',
  NOT_FOUND: 'It may have been deleted, or the address is incomplete. Go back to the list.',
  CORRUPT: '',
  UNSUPPORTED: '',
  TOO_LARGE: '',
  CONFLICT: 'Something changed meanwhile. Reload and try again.',
  UNAVAILABLE: 'See whether the API runs: npx --no cxr-lens doctor says what it finds. Then try again.',
  CANCELLED: 'Start it again if it is still wanted.',
};

/** Any thrown value as an ApiError. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError('INTERNAL', error instanceof Error ? error.message : String(error));
}
