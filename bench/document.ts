import { CxrError } from '@cxr-lens/data';

/**
 * The document with the part's text between its markers, and all else as it was. CxrError CORRUPT where the markers are missing.
 * @param part as `--only` names it
 */
export function withPart(document: string, part: string, text: string): string {
  const [open, close] = [`<!-- bench: ${part} -->`, `<!-- end of ${part} -->`];
  const [from, to] = [document.indexOf(open), document.indexOf(close)];
  if (from < 0 || to < from) throw new CxrError('CORRUPT', `The document has no place for ${part}: it lacks ${open} or ${close}.`);
  return `${document.slice(0, from + open.length)}\n\n${text.trim()}\n\n${document.slice(to)}`;
}
