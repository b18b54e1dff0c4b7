import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parse } from './input.ts';

/** The id that whoever asks gave the request, or one of ours. */
export const RequestIdSchema = z
  .string()
  .regex(/^[\w-]{1,64}$/)
  .catch(() => randomUUID());

/** The only names that `port` of this machine has for those who sit at it, as a Host header gives them. */
const loopback = (port: number): string[] =>
  ['127.0.0.1', 'localhost', '[::1]'].flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));

const HostSchema = z
  .object({ host: z.string().default(''), port: z.number().default(0) })
  .refine(({ host, port }) => loopback(port).includes(host.toLowerCase()), {
    path: ['host'],
    error: ({ input }) => {
      const [ipv4, name, ipv6] = loopback((input as { port: number }).port);
      return `expected ${ipv4}, ${name} or ${ipv6}; through a tunnel, use the same port on both ends`;
    },
  });

const OriginSchema = z
  .object({ origin: z.string().optional(), ports: z.array(z.number()) })
  .refine(({ origin, ports }) => origin === undefined || ports.flatMap(loopback).some((name) => origin === `http://${name}`), {
    path: ['origin'],
    error: 'requests from pages of other sites are refused',
  });

/**
 * BAD_INPUT unless the request is for this machine under one of its own names, at the port that it came to: a name that another site's
 * server makes point here (DNS rebinding) would make its page look like ours.
 */
export function requireOwnHost({ headers: { host }, raw }: FastifyRequest): void {
  parse(HostSchema, { host, port: raw.socket.localPort });
}

/**
 * BAD_INPUT for a request by a page of another origin: until there is sign-in, it must not upload to or read from the API of whoever looks
 * at it. `pagesPort` is where the pages are served, which `next dev` shows directly. No page, as curl: no Origin.
 */
export function requireOwnOrigin({ headers: { origin }, raw }: FastifyRequest, pagesPort?: number): void {
  parse(OriginSchema, { origin, ports: [raw.socket.localPort, pagesPort].filter((port) => port !== undefined) });
}
