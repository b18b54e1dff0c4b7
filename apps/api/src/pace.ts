/** Fields resolved in one turn of the event loop: some 5 ms. */
export const TURN_FIELDS = 2000;

let filled = 0;
let now = 0;
let turning = false;
const turns = new Map<number, { promise: Promise<void>; resolve(): void }>();

/**
 * Shares the event loop: null while this turn has room for so many fields, otherwise the turn to wait for.
 * One queue for all queries, so that several large ones do not add up to a long turn.
 */
export function pace(fields: number): Promise<void> | null {
  const turn = now + Math.floor(filled / TURN_FIELDS);
  filled += fields;
  if (!turning) {
    turning = true;
    setImmediate(nextTurn);
  }
  if (turn === now) return null;
  const waiting = turns.get(turn) ?? deferred();
  turns.set(turn, waiting);
  return waiting.promise;
}

function nextTurn(): void {
  now += 1;
  filled = Math.max(0, filled - TURN_FIELDS);
  const due = turns.get(now);
  turns.delete(now);
  due?.resolve();
  turning = filled > 0 || turns.size > 0;
  if (turning) setImmediate(nextTurn);
}

function deferred(): { promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
