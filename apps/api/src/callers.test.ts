import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noisePng, startTestApi, type TestApi } from './testing.ts';

const PAGES_PORT = 3999;

let api: TestApi;
let port: string;

beforeAll(async () => {
  api = await startTestApi({ dashboardUrl: `http://127.0.0.1:${PAGES_PORT}` });
  port = new URL(api.url).port;
});
afterAll(() => api.stop());

interface Asked {
  method?: string;
  path: string;
  headers?: http.OutgoingHttpHeaders;
  body?: Buffer;
}

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'sec-websocket-protocol': 'graphql-transport-ws',
};

/** Every way in: what the API itself answers, in words where it refuses. */
const WAYS_IN: Record<string, () => Promise<Asked>> = {
  'a query': async () => ({
    path: `/graphql?query=${encodeURIComponent('{ viewer { name } }')}`,
    headers: { 'apollo-require-preflight': '1' },
  }),
  'a mutation': async () => ({
    ...{ method: 'POST', path: '/graphql', headers: { 'content-type': 'application/json' } },
    body: Buffer.from('{"query":"mutation { deleteStudy(id: \\"x\\") }"}'),
  }),
  'an upload': async () => ({ method: 'POST', path: '/studies', headers: { 'content-type': 'image/png' }, body: await noisePng(9) }),
  'bytes of an image': async () => ({ path: '/images/x.png' }),
  'bytes of a map': async () => ({ path: '/explanations/x/cam.npy' }),
  'a page': async () => ({ path: '/runs' }),
  'a WebSocket': async () => ({ path: '/graphql', headers: UPGRADE }),
};

/** The status and the answer; 101 for an upgrade. Unlike fetch it sends the Host that it is told. */
async function ask(way: string, own: http.OutgoingHttpHeaders): Promise<{ status: number; text: string }> {
  const { method = 'GET', path, headers = {}, body } = await WAYS_IN[way]!();
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers: { ...headers, ...own }, agent: false as const };
    const request = http.request(options, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode!, text });
    });
    request.on('error', reject).on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, text: '' });
    });
    request.end(body);
  });
}

describe.each(Object.keys(WAYS_IN))('%s', (way) => {
  it('is answered under the three names of this machine, without an Origin and for our own pages', async () => {
    for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
      for (const origin of [undefined, `http://${name}:${port}`, `http://localhost:${PAGES_PORT}`]) {
        const { status, text } = await ask(way, { host: `${name}:${port}`, ...(origin ? { origin } : {}) });
        expect(status, `${name}, ${origin}: ${text}`).not.toBe(400);
      }
    }
  });

  it.each([
    'evil.example',
    'localhost',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.1:PORT',
    '0.0.0.0:PORT',
    '127.0.0.2:PORT',
    '[::ffff:127.0.0.1]:PORT',
    'localhost.:PORT',
    'localhost.evil.example:PORT',
    'evil.example@localhost:PORT',
    'evil.example:PORT',
  ])('is refused under the name %s', async (name) => {
    const host = name.replace('PORT', port);
    const { status, text } = await ask(way, { host });
    const sentence = `host is "${host}": expected 127.0.0.1:${port}, localhost:${port} or [::1]:${port}; through a tunnel, use the same port on both ends.`;
    expect([status, JSON.parse(text)]).toMatchObject([400, { code: 'BAD_INPUT', message: sentence }]);
  });

  it.each([
    'https://evil.example',
    'null',
    'http://localhost',
    'http://localhost:1',
    'https://localhost:PORT',
    'http://localhost:PORT.evil.example',
    'http://evil.example:PORT',
    'http://127.0.0.2:PORT',
    'file://',
  ])('is refused for a page of %s', async (name) => {
    const origin = name.replace('PORT', port);
    const { status, text } = await ask(way, { host: `localhost:${port}`, origin });
    const sentence = `origin is "${origin}": requests from pages of other sites are refused.`;
    expect([status, JSON.parse(text)]).toMatchObject([400, { code: 'BAD_INPUT', message: sentence }]);
  });
});

describe('the names', () => {
  it('keep what is refused out of the database', async () => {
    await api.prisma.study.deleteMany();
    for (const headers of [{ host: 'evil.example' }, { host: `localhost:${port}`, origin: 'https://evil.example' }]) {
      expect((await ask('an upload', headers)).status).toBe(400);
    }
    expect(await api.prisma.image.count()).toBe(0);
  });

  it('are not asked of who only looks whether the API lives', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'evil.example' };
      http.get({ host: '127.0.0.1', port, path: '/healthz', headers }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
    });
    expect(status).toBe(200);
  });
});
