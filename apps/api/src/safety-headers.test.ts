import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAFETY_HEADERS } from './safety-headers.ts';
import { noisePng, startTestApi, type TestApi, uploadNoise } from './testing.ts';

const PAGE_POLICY = "default-src 'self'; script-src 'nonce-x'";

let api: TestApi;
let image: string;
const pages = http.createServer(({ url }, response) => {
  if (url === '/runs') response.setHeader('content-security-policy', PAGE_POLICY);
  response.end('<p>page</p>');
});

beforeAll(async () => {
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  api = await startTestApi({ dashboardUrl: `http://127.0.0.1:${(pages.address() as AddressInfo).port}` });
  ({ image } = await uploadNoise(api, 1));
});
afterAll(async () => {
  await api.stop();
  pages.closeAllConnections();
  pages.close();
});

const of = (headers: Record<string, string>): Record<string, string | undefined> =>
  Object.fromEntries(Object.keys(SAFETY_HEADERS).map((name) => [name, headers[name]]));

async function ask(path: string, init: RequestInit = {}): Promise<Record<string, string | undefined>> {
  const answer = await fetch(api.url + path, init);
  await answer.arrayBuffer();
  return of(Object.fromEntries(answer.headers));
}

/** The headers that come for these bytes, whatever they are. */
async function raw(text: string): Promise<Record<string, string | undefined>> {
  const { hostname, port } = new URL(api.url);
  const socket = net.connect(Number(port), hostname);
  socket.write(text.replace('HOST', `localhost:${port}`));
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  const lines = answer.split('\r\n\r\n')[0]!.split('\r\n').slice(1);
  return of(Object.fromEntries(lines.map((line) => [line.split(':')[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])));
}

describe('what browsers are told', () => {
  it.each([
    ['GET', '/healthz'],
    ['GET', '/graphql?query=%7Bviewer%7Bname%7D%7D'],
    ['POST', '/graphql'],
    ['POST', '/studies'],
    ['GET', '/images/none.png'],
    ['GET', '/explanations/none/cam.npy'],
    ['OPTIONS', '/graphql'],
  ])('comes with %s %s', async (method, path) => {
    expect(await ask(path, { method, headers: { 'apollo-require-preflight': '1' } })).toEqual(SAFETY_HEADERS);
  });

  it('comes with a picture, with one that the browser has already, and with an upload', async () => {
    expect(await ask(`/images/${image}.png`)).toEqual(SAFETY_HEADERS);
    const etag = (await fetch(`${api.url}/images/${image}.png`)).headers.get('etag')!;
    expect(await ask(`/images/${image}.png`, { headers: { 'if-none-match': etag } })).toEqual(SAFETY_HEADERS);
    const body = new Uint8Array(await noisePng(2));
    expect(await ask('/studies', { method: 'POST', headers: { 'content-type': 'image/png' }, body })).toEqual(SAFETY_HEADERS);
  });

  it.each([
    ['no HTTP', 'GARBAGE\r\n\r\n'],
    ['headers too large', `GET / HTTP/1.1\r\nHost: HOST\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['another expectation', 'GET /healthz HTTP/1.1\r\nHost: HOST\r\nExpect: tea\r\n\r\n'],
    ['an address that cannot be read', 'GET /%zz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n'],
    ['another name', 'GET /graphql HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'],
    ['a page of another site', 'GET /graphql HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n'],
    [
      'an upgrade by a page of another site',
      'GET /graphql HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    ],
  ])('comes with a refusal of %s', async (_what, text) => {
    expect(await raw(text)).toEqual(SAFETY_HEADERS);
  });

  it('lets a page keep the policy that it brings, and gives one to a page without', async () => {
    expect(await ask('/runs')).toEqual({ ...SAFETY_HEADERS, 'content-security-policy': PAGE_POLICY });
    expect(await ask('/elsewhere')).toEqual(SAFETY_HEADERS);
  });
});
