import { CxrError, FINDINGS } from '@cxr-lens/data';
import { z } from 'zod';

const PLAIN = 'expected at most 256 characters, none of them a control character';

/** An id, a name, or a text to look for. Postgres takes no NUL, and nothing here has another control character or is longer. */
export const TextSchema = z.string(PLAIN).regex(/^[^\p{Cc}\p{Cs}]{0,256}$/u, PLAIN);

/** What names one thing: the arguments of a field, and the parameters of an address. */
export const ByIdSchema = z.strictObject({ id: TextSchema });

/** As many as the longest page of runs. */
export const RunIdsSchema = z.array(TextSchema).max(100, 'expected at most 100 runs');

export const FindingNamesSchema = z.array(z.enum(FINDINGS)).max(FINDINGS.length, `expected at most ${FINDINGS.length} findings`);

// Above 100 it is 100: the builder's maxConnectionSize.
const PageSizeSchema = z.int().min(0, 'expected 0 or more');

const CURSOR = 'expected a cursor, as an edge or pageInfo gives it';

// Pothos wraps the id of a row in it.
const CursorSchema = z
  .base64(CURSOR)
  .refine((text) => /^GPC:S:[^\p{Cc}\p{Cs}]{1,256}$/u.test(Buffer.from(text, 'base64').toString()), CURSOR);

/** The arguments of every list that comes in pages; a list with a filter extends it. */
export const PageSchema = z
  .strictObject({
    first: PageSizeSchema.nullish(),
    after: CursorSchema.nullish(),
    last: PageSizeSchema.nullish(),
    before: CursorSchema.nullish(),
  })
  .refine(
    ({ first, after, last, before }) => (first ?? after) == null || (last ?? before) == null,
    'give first and after to go on, or last and before to go back',
  );

/**
 * What the schema makes of `given`. BAD_INPUT says where it is wrong, what stands there and what was expected;
 * `field` is the field whose arguments they are.
 */
export function parse<Schema extends z.ZodType>(schema: Schema, given: unknown, field?: string): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const where = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  const words = [field, where && `${where.replace(/^\./, '')} is ${shown(valueAt(given, path))}`, message];
  throw new CxrError('BAD_INPUT', `${words.filter(Boolean).join(': ')}.`);
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, step) => (Object(value) as Record<PropertyKey, unknown>)[step], given);
}

const SHOWN = 60;

/** A value as a sentence has it: its beginning, or what it is. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string' && value.length > SHOWN) return `${JSON.stringify(value.slice(0, SHOWN))}..., ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value);
}
