import { CxrError } from '@cxr-lens/data';

/** A whole number as an option gives it, digits only; BAD_INPUT names the option. Nine digits stay exact wherever they are used. */
export function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CxrError('BAD_INPUT', `${option} is "${text.slice(0, 40)}"; expected a whole number of at most nine digits.`);
}
