'use client';

import { usePathname, useRouter, useSearchParams } from 'next/navigation';
import type { Choice } from './queries.ts';

export type ChangeChoice = (change: Partial<Choice> & { finding?: string | null }) => void;

/** The choice lives in the address, so that a link shows another reader the same thing. */
export function useChoice(): { choice: Choice; finding: string | null; change: ChangeChoice } {
  const params = useSearchParams();
  const router = useRouter();
  const path = usePathname();
  const runs = params.get('runs');
  const published = params.get('published');
  const choice: Choice = {
    runs: runs === null ? null : runs.split(',').filter((id) => id !== ''),
    dataSet: params.get('dataSet'),
    protocol: params.get('protocol'),
    published: published === null ? null : published === '1',
  };
  const change: ChangeChoice = (changed) => {
    const next = new URLSearchParams(params);
    for (const [name, value] of Object.entries(changed)) {
      if (value === null) next.delete(name);
      else next.set(name, typeof value === 'boolean' ? String(Number(value)) : Array.isArray(value) ? value.join(',') : String(value));
    }
    router.replace(next.size > 0 ? `${path}?${next}` : path, { scroll: false });
  };
  return { choice, finding: params.get('finding'), change };
}
