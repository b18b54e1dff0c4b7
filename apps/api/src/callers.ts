import { randomUUID } from 'node:crypto';
import { z } from 'zod';

/** The id that whoever asks gave the request, or one of ours. */
export const RequestIdSchema = z
  .string()
  .regex(/^[\w-]{1,64}$/)
  .catch(() => randomUUID());

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** A name that a page's own server makes point here (DNS rebinding) would make its page look like ours. */
export const HostSchema = z.object({
  host: z
    .string()
    .default('')
    .refine((host) => isOurs(URL.parse(`http://${host}`)), `expected ${LOOPBACK.join(', ')}`),
});

/** Until there is sign-in, a page of another site must not upload to or read from the API of whoever looks at it. */
export const OriginSchema = z
  .object({ host: z.string().optional(), origin: z.string().optional() })
  .refine(({ host, origin }) => !origin || isOurs(URL.parse(origin), host), {
    path: ['origin'],
    error: 'requests from pages of other sites are refused',
  });

const isOurs = (url: URL | null, host?: string): boolean => url !== null && (url.host === host || LOOPBACK.includes(url.hostname));
