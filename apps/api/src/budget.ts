import { CxrError } from '@cxr-lens/data';

/** Fields that one query may resolve. The compare page of seven runs takes 15,000, a study of 50 images with all maps of two runs 70,000. */
const MAX_FIELDS = 250_000;
/** Rows that one query may read: about 1 KB each in memory, and fewer ids than Postgres takes parameters (32,767). */
const MAX_ROWS = 30_000;
/** Cells of maps that `values` may give in one query: one saliency map of 224 x 224. */
const MAX_CELLS = 65_536;
const QUERY_MS = 30_000;

/** Limits one query, or one event of a subscription. Each call throws BAD_INPUT above its limit and UNAVAILABLE after the time. */
export interface Budget {
  /** Throws what stopped the query, if something did. */
  check(): void;
  isOver(): boolean;
  fields(count: number): void;
  rows(count: number): void;
  rowsLeft(): number;
  cells(count: number, npyUrl: string): void;
  /** Resolves as `work` does; throws UNAVAILABLE if the time is over first. */
  within<T>(work: Promise<T>): Promise<T>;
}

export function createBudget(): Budget {
  const end = performance.now() + QUERY_MS;
  const used = { fields: 0, rows: 0, cells: 0 };
  // One instance each, so that the answer names it once however many fields it stopped.
  let over: CxrError | null = null;
  const stop = (error: CxrError): never => {
    over ??= error;
    throw over;
  };
  const late = (): CxrError => new CxrError('UNAVAILABLE', `The query took longer than ${QUERY_MS / 1000} s: ask for less, or try again.`);
  const check = (): void => {
    if (over) throw over;
    if (performance.now() > end) stop(late());
  };
  const spend = (what: 'fields' | 'rows', count: number, most: number): void => {
    check();
    used[what] += count;
    if (used[what] <= most) return;
    const words = what === 'fields' ? 'would answer more than' : 'reads more than';
    stop(
      new CxrError('BAD_INPUT', `The query ${words} ${most} ${what}: ask for fewer with first, runs or findings, or in several queries.`),
    );
  };
  return {
    check,
    isOver: () => over !== null || performance.now() > end,
    fields: (count) => spend('fields', count, MAX_FIELDS),
    rows: (count) => spend('rows', count, MAX_ROWS),
    rowsLeft: () => {
      check();
      return MAX_ROWS - used.rows;
    },
    cells: (count, npyUrl) => {
      check();
      used.cells += count;
      if (used.cells <= MAX_CELLS) return;
      throw new CxrError(
        'BAD_INPUT',
        `values gives at most ${MAX_CELLS} numbers in one query: read this map from its npyUrl, GET ${npyUrl}, as float32.`,
      );
    },
    within: async (work) => {
      let timer: NodeJS.Timeout | undefined;
      const time = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(
          () => {
            over ??= late();
            reject(over);
          },
          Math.max(0, end - performance.now()),
        );
      });
      try {
        return await Promise.race([work, time]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
