import { CxrError } from '../error.ts';

/** The inferno colour of a value in 0 ... 255, as [red, green, blue]. */
export function inferno(_value: number): [number, number, number] {
  throw new CxrError('INTERNAL', 'inferno is not there yet');
}
