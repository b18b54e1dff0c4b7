import { ApiError } from '../../lib/request.ts';

/** Numbers from a text like `0, 0.005, 0.01`; the API checks their range. ApiError names what is no number. */
export function parseEpsilons(text: string): number[] {
  return text
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const value = Number(part);
      if (Number.isFinite(value)) return value;
      throw new ApiError('BAD_INPUT', `"${part}" is no number: expected epsilons like 0, 0.005, 0.01.`);
    });
}

/** Options from lines of `name=value`; numbers as numbers. The API checks names and ranges. ApiError names a line without a value. */
export function parseSettings(text: string): Record<string, string | number> {
  const options: Record<string, string | number> = {};
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const at = line.indexOf('=');
    const name = line.slice(0, at).trim();
    const value = line.slice(at + 1).trim();
    if (at < 1 || value === '') throw new ApiError('BAD_INPUT', `"${line.trim()}": expected name=value, for example maxEpochs=10.`);
    options[name] = Number.isFinite(Number(value)) ? Number(value) : value;
  }
  return options;
}

/** Options as people read them: `optimiser adam, learningRate 0.001`. */
export function settingsText(options: unknown): string {
  return Object.entries(Object(options) as Record<string, unknown>)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}
