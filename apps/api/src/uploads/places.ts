import { CxrError } from '@cxr-lens/data';

interface Places {
  /** Takes a place for the client; what it gives leaves the place again, once however often it is called. UNAVAILABLE when all are taken. */
  take(client: string): () => void;
}

/** Counts what clients do at once: `each` at most of one address, `all` of all together. */
export function createPlaces({ each, all }: { each: number; all: number }): Places {
  const taken = new Map<string, number>();
  let total = 0;
  return {
    take: (client) => {
      const own = taken.get(client) ?? 0;
      if (own >= each) throw new CxrError('UNAVAILABLE', `${each} uploads of ${client} are under way already: wait for one of them.`);
      if (total >= all) throw new CxrError('UNAVAILABLE', `${all} uploads are under way already: try again in a moment.`);
      taken.set(client, own + 1);
      total += 1;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        total -= 1;
        const now = taken.get(client)! - 1;
        if (now > 0) taken.set(client, now);
        else taken.delete(client);
      };
    },
  };
}
