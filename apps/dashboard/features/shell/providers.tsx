'use client';

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ApiError } from '../../lib/request.ts';

/** Only an answer that never came is worth asking for again; a refusal stays one. */
function retry(failures: number, error: Error): boolean {
  return failures < 2 && error instanceof ApiError && error.code === 'UNAVAILABLE';
}

export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(
    () => new QueryClient({ defaultOptions: { queries: { staleTime: 5_000, retry, retryDelay: 700 }, mutations: { retry: false } } }),
  );
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}
