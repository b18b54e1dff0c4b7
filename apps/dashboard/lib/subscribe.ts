'use client';

import { type Client, createClient } from 'graphql-ws';
import { useEffect, useRef } from 'react';
import type { TypedDocumentString } from '../gql/graphql.ts';

let client: Client | null = null;

function socket(): Client {
  client ??= createClient({
    url: `${window.location.protocol === 'https:' ? 'wss' : 'ws'}://${window.location.host}/graphql`,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    lazyCloseTimeout: 5_000,
  });
  return client;
}

/** Follows a subscription while `variables` is not null; reconnects by itself. `onData` may change from render to render. */
export function useSubscription<Result, Variables extends Record<string, unknown>>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables | null,
  onData: (result: Result) => void,
): void {
  const latest = useRef(onData);
  useEffect(() => {
    latest.current = onData;
  });
  const query = document.toString();
  const key = variables === null ? null : JSON.stringify(variables);
  useEffect(() => {
    if (key === null) return;
    return socket().subscribe<Result>(
      { query, variables: JSON.parse(key) as Variables },
      {
        next: ({ data }) => {
          if (data) latest.current(data);
        },
        // The page still shows what it last read; queries report the error to the reader.
        error: () => {},
        complete: () => {},
      },
    );
  }, [query, key]);
}
