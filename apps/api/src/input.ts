import { CxrError } from '@cxr-lens/data';

/** The longest id, name or text to look for that anything here has. */
const MAX_TEXT = 256;

/** Postgres takes no NUL, and nothing here has a name with another control character. */
const isPlain = (text: string): boolean => text.length <= MAX_TEXT && !/\p{Cc}/u.test(text) && text.isWellFormed();

/** `text` as it is; BAD_INPUT, naming `what`, for control characters, broken Unicode or more than 256 characters. */
export function plainText(what: string, text: string): string {
  if (isPlain(text)) return text;
  throw new CxrError('BAD_INPUT', `${what}: expected at most ${MAX_TEXT} characters, none of them a control character.`);
}

/** A DICOM UID as PS3.5 9.1 writes it, up to leading zeros. */
export const isUid = (text: string): boolean => /^[0-9.]{1,64}$/.test(text);

/** `args` as they are; BAD_INPUT when a text in them, at any depth, is none that `plainText` lets through. */
export function plainArguments<Args>(args: Args, name = 'argument'): Args {
  if (typeof args === 'string') plainText(name, args);
  else if (typeof args === 'object' && args !== null) {
    for (const [key, value] of Object.entries(args)) plainArguments(value, Array.isArray(args) ? name : key);
  }
  return args;
}
