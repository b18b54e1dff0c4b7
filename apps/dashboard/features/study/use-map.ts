'use client';

import { useQuery } from '@tanstack/react-query';
import { ApiError } from '../../lib/request.ts';
import { type NumberMap, parseNpy } from './maps.ts';

/** The raw map behind `url` (NPY). It never changes: an explanation is made once. */
export function useMap(url: string | undefined): { map: NumberMap | undefined; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: ['map', url],
    enabled: url !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const response = await fetch(url!, { signal });
      if (!response.ok) throw new ApiError(response.status === 404 ? 'NOT_FOUND' : 'UNAVAILABLE', 'The map could not be read.');
      return parseNpy(await response.arrayBuffer());
    },
  });
  return { map: data, error };
}
