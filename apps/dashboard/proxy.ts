import { randomBytes } from 'node:crypto';
import { type NextRequest, NextResponse } from 'next/server';

/** `next dev` evaluates its modules and follows their changes. */
const developing = process.env.NODE_ENV === 'development';

/**
 * Only scripts with the nonce of this one answer run, and what those load; everything else comes from this origin. Elements have `style`
 * attributes, which run nothing. The charts are drawn from a data: picture when they are saved as PNG.
 */
const policy = (nonce: string): string =>
  [
    "default-src 'self'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'${developing ? " 'unsafe-eval'" : ''}`,
    `style-src 'self' ${developing ? "'unsafe-inline'" : `'nonce-${nonce}'`}`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');

/** Gives every page a policy of its own; Next reads the nonce from the header of the request and puts it on its scripts. */
export function proxy(request: NextRequest): NextResponse {
  const nonce = randomBytes(16).toString('base64');
  const headers = new Headers(request.headers);
  headers.set('x-nonce', nonce);
  headers.set('content-security-policy', policy(nonce));
  const response = NextResponse.next({ request: { headers } });
  response.headers.set('content-security-policy', policy(nonce));
  return response;
}

export const config = { matcher: '/((?!_next/static|icon.svg).*)' };
