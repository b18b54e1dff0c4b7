/** The one in the middle by that number; of an even count the upper of the two. */
export function medianBy<T>(all: readonly T[], by: (one: T) => number): T {
  return all.toSorted((a, b) => by(a) - by(b))[Math.floor(all.length / 2)]!;
}
