'use client';

import { Page } from '../components/page.tsx';
import { ErrorState } from '../components/states.tsx';

export default function ErrorPage({ error, reset }: { error: Error; reset: () => void }) {
  return (
    <Page title="Something went wrong">
      <ErrorState error={error} retry={reset} />
    </Page>
  );
}
