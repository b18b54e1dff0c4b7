export type Gate = <T>(task: () => Promise<T>) => Promise<T>;

/** Lets at most `size` tasks run at once; the others wait their turn in order. */
export function createGate(size: number): Gate {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= size) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      // The place goes to the next in line, or is free again.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
