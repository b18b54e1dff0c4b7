/** A number to so many digits; what rounds to zero has no sign. */
export function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text;
}

/** "0.12 (0.03 to 0.21)" */
export function fixedInterval(value: number, [low, high]: readonly [number, number], digits: number): string {
  return `${fixed(value, digits)} (${fixed(low, digits)} to ${fixed(high, digits)})`;
}

/** "p = 0.032", "p < 0.001" */
export function pText(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(p < 0.1 ? 3 : 2)}`;
}
