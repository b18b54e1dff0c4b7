import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noisePng, startTestApi, type TestApi } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

interface Sent {
  /** Milliseconds until the API closed it. */
  closed: Promise<number>;
  answer: () => string;
}

/** A connection that sends `first`, then `drip` every other second. */
async function connect(first: string, drip: string): Promise<Sent> {
  const { hostname, port } = new URL(api.url);
  const socket = net.connect(Number(port), hostname);
  await once(socket, 'connect');
  const begun = performance.now();
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk)).on('error', () => undefined);
  if (first) socket.write(first);
  const timer = setInterval(() => drip && socket.write(drip), 2000);
  const closed = once(socket, 'close').then(() => {
    clearInterval(timer);
    return performance.now() - begun;
  });
  return { closed, answer: () => answer };
}

const head = (line: string, ...headers: string[]): string => `${[line, `Host: ${new URL(api.url).host}`, ...headers].join('\r\n')}\r\n`;
const PNG = 'Content-Type: image/png\r\nContent-Length: 60000000\r\n\r\n\x89PNG';
const FORM = 'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 60000000\r\n\r\n--x\r\nContent-Disposition: form-data; ';

describe('slow clients', () => {
  it('are closed, each kind in its time, while others upload', { timeout: 60_000 }, async () => {
    const many = (first: string, drip: string): Promise<Sent[]> => Promise.all(Array.from({ length: 10 }, () => connect(first, drip)));
    const kinds = {
      'that send nothing': { sent: await many('', ''), within: 16_000 },
      'of slow headers': { sent: await many(head('GET /healthz HTTP/1.1'), 'X-a: b\r\n'), within: 16_000 },
      'of a slow GraphQL body': {
        sent: await many(`${head('POST /graphql HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 1000')}\r\n{`, ' '),
        within: 25_000,
      },
      'of a slow file': { sent: await many(`${head('POST /studies HTTP/1.1')}${PNG}`, 'a'), within: 40_000 },
      'of slow headers of a part': { sent: await many(`${head('POST /studies HTTP/1.1')}${FORM}`, 'a'), within: 40_000 },
      'of a slow part': {
        sent: await many(`${head('POST /studies HTTP/1.1')}${FORM}name="f"; filename="a.png"\r\n\r\n\x89PNG`, 'a'),
        within: 40_000,
      },
    };
    const begun = performance.now();
    const response = await fetch(`${api.url}/studies`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: new Uint8Array(await noisePng(1)),
    });
    expect([response.status, performance.now() - begun < 10_000]).toEqual([200, true]);
    for (const [kind, { sent, within }] of Object.entries(kinds)) {
      const closed = await Promise.all(sent.map((one) => one.closed));
      expect([kind, Math.max(...closed) < within]).toEqual([kind, true]);
    }
    for (const one of [...kinds['of a slow file'].sent, ...kinds['of a slow part'].sent])
      expect(one.answer()).toContain('less than 64 KiB came in 30 s');
    for (const one of kinds['of a slow GraphQL body'].sent) expect(one.answer()).toMatch(/^HTTP\/1\.1 408 .*"CANCELLED"/s);
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  });
});
