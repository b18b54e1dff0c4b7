import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { requireOrSkip } from '@cxr-lens/data/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noisePng, startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());
beforeEach(() => api.prisma.study.deleteMany());

describe('a sender that goes away inside a file', () => {
  it('keeps no place: four of them, then one good upload', async () => {
    const { hostname, port } = new URL(api.url);
    const lines = [
      'POST /studies HTTP/1.1',
      `Host: ${hostname}:${port}`,
      'Content-Type: multipart/form-data; boundary=xx',
      'Content-Length: 100000',
    ];
    const part = '--xx\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n';
    const half = (await noisePng(20)).subarray(0, 100);
    for (let sender = 0; sender < 4; sender++) {
      const socket = net.connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(`${lines.join('\r\n')}\r\n\r\n${part}`);
      socket.write(half);
      await new Promise((resolve) => setTimeout(resolve, 100));
      socket.destroy();
    }
    const headers = { 'content-type': 'image/png' };
    const response = await fetch(`${api.url}/studies`, { method: 'POST', headers, body: new Uint8Array(await noisePng(21)) });
    expect(response.status).toBe(200);
    expect(await api.prisma.image.count()).toBe(1);
  });
});

describe('100 MB of zeros', () => {
  const SIZE = 100 * 1024 ** 2;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;

  /** Bytes in buffers that somebody still holds; what waits for the collector does not count. */
  function held(): number {
    collect();
    return process.memoryUsage().arrayBuffers;
  }

  /** Sends zeros in pieces with or without saying how many; resolves to the status, the answer and the most that was held. */
  function sendZeros(headers: http.OutgoingHttpHeaders, before = '', after = ''): Promise<{ status: number; body: string; most: number }> {
    const atFirst = held();
    let most = 0;
    return new Promise((resolve, reject) => {
      const request = http.request(`${api.url}/studies`, { method: 'POST', headers }, (response) => {
        let body = '';
        response
          .on('data', (chunk) => (body += chunk))
          .on('end', () => {
            request.destroy(); // as curl does when the answer comes early
            resolve({ status: response.statusCode!, body, most });
          });
      });
      // The answer may come before all is sent, and the socket close under the sender.
      request.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error),
      );
      const piece = Buffer.alloc(1024 ** 2);
      let left = SIZE;
      const write = (): void => {
        while (left > 0) {
          left -= piece.length;
          if (left % (10 * piece.length) === 0) most = Math.max(most, held() - atFirst);
          if (!request.write(piece)) return void request.once('drain', write);
        }
        request.end(after);
      };
      if (before) request.write(before);
      write();
    });
  }

  it.each([
    ['bare, of a known size', { 'content-type': 'image/png', 'content-length': SIZE }, '', ''],
    ['bare, of unknown size', { 'content-type': 'image/png' }, '', ''],
    [
      'in a form',
      { 'content-type': 'multipart/form-data; boundary=xx' },
      '--xx\r\nContent-Disposition: form-data; name="f"; filename="zeros.png"\r\n\r\n',
      '\r\n--xx--\r\n',
    ],
    ['that begin like a DICOM file', { 'content-type': 'application/dicom' }, `${'\0'.repeat(128)}DICM`, ''],
  ])('%s are refused as TOO_LARGE, held by nobody', async (_what, headers, before, after) => {
    const { status, body, most } = await sendZeros(headers, before, after);
    expect([status, body.includes('TOO_LARGE')]).toEqual([413, true]);
    expect(most).toBeLessThan(90 * 1024 ** 2);
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    expect(await api.prisma.image.count()).toBe(0);
  });
});

describe('a sender that reads the answer only when all is sent', () => {
  it.each([
    ['Content-Length: 104857600', 'of a known size'],
    ['Transfer-Encoding: chunked', 'of unknown size'],
  ])('%s: is let go on or closed', async (header) => {
    const { hostname, port } = new URL(api.url);
    const socket = net.connect(Number(port), hostname);
    socket.on('error', () => undefined);
    const closed = once(socket, 'close').then(() => 'closed');
    socket.pause();
    socket.write(`POST /studies HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: image/png\r\n${header}\r\n\r\n`);
    const piece = Buffer.alloc(1024 ** 2);
    const chunk = header.startsWith('Transfer') ? Buffer.concat([Buffer.from('100000\r\n'), piece, Buffer.from('\r\n')]) : piece;
    const sending = (async () => {
      for (let sent = 0; sent < 100 && !socket.destroyed; sent += 1) if (!socket.write(chunk)) await once(socket, 'drain');
      return 'sent';
    })().catch(() => 'closed');
    expect(await Promise.race([sending, closed, new Promise((resolve) => setTimeout(resolve, 15_000, 'stuck'))])).not.toBe('stuck');
    socket.destroy();
  });
});

describe('a request that cannot be understood', () => {
  const BOUNDARY = 'expected a boundary, as in multipart/related; boundary=x.';

  it.each([
    ['', 'multipart/form-data', `content-type is "multipart/form-data": ${BOUNDARY}`],
    ['', 'Multipart/Related; type="application/dicom"', `content-type is "Multipart/Related; type=\\"application/dicom\\"": ${BOUNDARY}`],
    ['?name=a.png&name=b.png', 'image/png', 'name is a list of 2: expected one file name.'],
  ])('/studies%s with content-type %s', async (query, type, message) => {
    const response = await fetch(`${api.url}/studies${query}`, { method: 'POST', headers: { 'content-type': type }, body: 'x' });
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'BAD_INPUT', message }]);
  });

  it('has an id of ours in place of one that is none', async () => {
    const { headers } = await fetch(`${api.url}/healthz`, { headers: { 'x-request-id': 'no id at all' } });
    expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
  });
});

describe('a body that breaks off', () => {
  const FILE = '--x\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n';

  it.each([
    ['no end', 'form-data', `${FILE}PNG`],
    ['no end after a whole part', 'form-data', `${FILE}PNG\r\n`],
    ['half an end', 'form-data', `${FILE}PNG\r\n--`],
    ['no end of the headers', 'form-data', '--x\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n--x--\r\n'],
    ['nothing', 'form-data', ''],
    ['no end of an instance', 'related', '--x\r\nContent-Type: application/dicom\r\n\r\nDICM'],
  ])('%s is BAD_INPUT', async (_what, kind, body) => {
    const headers = { 'content-type': `multipart/${kind}; boundary=x` };
    const response = await fetch(`${api.url}/studies`, { method: 'POST', headers, body });
    const text = await response.text();
    expect(text).not.toContain('INTERNAL');
    expect(response.status).toBe(text.includes('00081197') ? 409 : 400);
  });

  it('found by chance is BAD_INPUT', async (ctx) => {
    const folder = requireOrSkip(ctx, 'samples', 'failing-inputs');
    for (const name of ['multipart-1', 'multipart-2', 'multipart-3']) {
      for (const kind of ['form-data', 'related']) {
        const headers = { 'content-type': `multipart/${kind}; boundary=x` };
        const response = await fetch(`${api.url}/studies`, { method: 'POST', headers, body: readFileSync(`${folder}/${name}`) });
        expect([name, response.status]).toEqual([name, kind === 'related' ? 409 : 400]);
      }
    }
  });
});

describe('what is refused before there is a route', () => {
  /** Sends the bytes as they are; resolves to the status line and the answer. */
  async function raw(text: string): Promise<{ status: string; body: { code: string; message: string; requestId: string } }> {
    const { hostname, port } = new URL(api.url);
    const socket = net.connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk));
    socket.write(text.replace('HOST', `localhost:${port}`));
    await once(socket, 'close');
    const [head, body] = answer.split('\r\n\r\n') as [string, string];
    return { status: head.split('\r\n')[0]!, body: JSON.parse(body) as { code: string; message: string; requestId: string } };
  }

  it.each([
    ['GARBAGE\r\n\r\n', 400, 'BAD_INPUT'],
    ['FOO /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n', 400, 'BAD_INPUT'],
    [`GET /healthz HTTP/1.1\r\nHost: HOST\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'TOO_LARGE'],
    ['GET /healthz HTTP/1.1\r\nHost: HOST\r\nExpect: tea\r\n\r\n', 417, 'BAD_INPUT'],
    ['GET /%zz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n', 400, 'BAD_INPUT'],
    ['GET /nowhere HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n', 404, 'NOT_FOUND'],
  ])('%j has the shape of all errors', async (text, status, code) => {
    const answer = await raw(text);
    expect(answer.status).toContain(` ${status} `);
    expect(answer.body).toEqual({ code, message: expect.any(String), requestId: expect.any(String) });
  });

  it.each([
    ['{}', 'application/json', 'POST body missing'],
    ['[]', 'application/json', 'batching disabled'],
    ['x', 'text/plain', 'Cross-Site Request Forgery'],
    ['{"query":"subscription{job(id:\\"x\\"){id}}"}', 'application/json', 'Subscriptions need a WebSocket'],
    ['{"query":"subscription{run(id:\\"x\\"){id}}"}', 'application/json', 'Subscriptions need a WebSocket'],
  ])('%j to GraphQL has code and request id', async (payload, type, message) => {
    const answer = await fetch(`${api.url}/graphql`, { method: 'POST', body: payload, headers: { 'content-type': type } });
    expect(answer.status).toBe(400);
    const { errors } = (await answer.json()) as { errors: unknown[] };
    expect(errors).toMatchObject([
      { message: expect.stringContaining(message), extensions: { code: 'BAD_INPUT', requestId: expect.any(String) } },
    ]);
  });
});
