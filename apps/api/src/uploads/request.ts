import { z } from 'zod';

/** The last part of a path, without control characters, of a length that a row and a screen can hold; null when nothing is left. */
const FileNameSchema = z.string('expected one file name').transform(
  (name) =>
    name
      .split(/[/\\]/)
      .at(-1)!
      .replaceAll(/\p{Cc}/gu, '')
      .trim()
      .slice(-200) || null,
);

const BOUNDARY = /;\s*boundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))/i;

/** A media type, and the boundary of its parts where it has some. */
const ContentTypeSchema = z
  .string()
  .default('')
  .refine(
    (text) => !/^\s*multipart\/(related|form-data)\b/i.test(text) || BOUNDARY.test(text),
    'expected a boundary, as in multipart/related; boundary=x',
  )
  .transform((text) => {
    const match = BOUNDARY.exec(text);
    return { type: text.split(';')[0]!.trim().toLowerCase(), boundary: match?.[1] ?? match?.[2] ?? '' };
  });

/** The file name in a Content-Disposition. Headers arrive as latin1, while browsers write file names in UTF-8. */
const DispositionSchema = z
  .string()
  .default('')
  .transform((header) => {
    const text = Buffer.from(header, 'latin1').toString('utf8');
    const encoded = /filename\*=utf-8''([^;]+)/i.exec(text)?.[1];
    const plain = /filename="((?:[^"\\]|\\.)*)"/i.exec(text)?.[1] ?? /filename=([^;\s]+)/i.exec(text)?.[1];
    return decoded(encoded) ?? plain?.replaceAll(/\\(.)/g, '$1') ?? '';
  })
  .pipe(FileNameSchema);

function decoded(text: string | undefined): string | null {
  if (text === undefined) return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** The headers of POST /studies: what its body is, how many bytes it says it has, and its name where it is a single file. */
export const UploadHeadersSchema = z
  .object({
    'content-type': ContentTypeSchema,
    'content-length': z.coerce.number('expected a number of bytes').default(0),
    'content-disposition': DispositionSchema,
  })
  .transform((headers) => ({
    ...headers['content-type'],
    size: headers['content-length'],
    fileName: headers['content-disposition'],
  }));

export type UploadHeaders = z.infer<typeof UploadHeadersSchema>;

/** The query of POST /studies. */
export const UploadQuerySchema = z.object({ name: FileNameSchema.optional() });

/** The headers of one part: of each, Dicer gives all that came. */
export const PartHeaderSchema = z.object({ 'content-disposition': z.tuple([DispositionSchema], z.string()).default([null]) });
