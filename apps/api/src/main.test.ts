import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestDatabase, testDatabase } from '@cxr-lens/prisma';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const MAIN = path.resolve(import.meta.dirname, 'main.ts');

let database: TestDatabase;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Started {
  child: ChildProcess;
  output: () => string;
  exited: Promise<number | null>;
}

function start(env: Record<string, string>): Started {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, DATABASE_URL: database.url, CXR_HOME: path.join(tmpdir(), 'cxr-api-main'), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  let output = '';
  child.stdout!.on('data', (chunk) => (output += chunk));
  child.stderr!.on('data', (chunk) => (output += chunk));
  return { child, output: () => output, exited: new Promise((resolve) => child.once('exit', (code) => resolve(code))) };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening({ child, output, exited }: Started): Promise<string> {
  const message = await Promise.race([
    new Promise<{ url: string }>((resolve) => child.once('message', (sent) => resolve(sent as { url: string }))),
    exited.then(() => Promise.reject(new Error(output()))),
  ]);
  return message.url;
}

describe('the process', () => {
  it('listens on this machine alone, loads no TensorFlow, and ends on SIGTERM', async () => {
    const port = await freePort();
    const started = start({ PORT: String(port) });
    const url = await listening(started);
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    const answer = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ viewer { name } }"}',
    });
    expect(await answer.json()).toEqual({ data: { viewer: { name: 'local' } } });
    expect(readFileSync(`/proc/${started.child.pid}/status`, 'utf8')).toMatch(/^Umask:\s*0077$/m);
    expect(readFileSync(`/proc/${started.child.pid}/maps`, 'utf8')).not.toMatch(/tensorflow|tfjs/i);
    const sockets = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`));
    expect(sockets.map((line) => line.trim().split(/\s+/)[1]!.split(':')[0])).toEqual(['0100007F']);
    started.child.kill('SIGTERM');
    expect(await started.exited).toBe(0);
  });

  it('says in one sentence that its port is taken', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as net.AddressInfo;
    const started = start({ PORT: String(port), LOG_LEVEL: 'silent' });
    expect(await started.exited).toBe(2);
    expect(started.output().trim()).toBe(`CONFLICT: Port ${port} is in use: stop what listens there, or set PORT to a free one.`);
    taken.close();
  });

  it.each([
    [{ PORT: 'http' }, 'PORT is "http": expected a number from 1 to 65535.'],
    [{ PORT: '', LOG_LEVEL: 'loud' }, 'LOG_LEVEL is "loud": expected one of fatal, error, warn, info, debug, trace, silent.'],
    [{ DASHBOARD_URL: 'here' }, 'DASHBOARD_URL is "here": expected an address as http://127.0.0.1:3000.'],
  ])('refuses %j', async (env, message) => {
    const started = start(env);
    expect(await started.exited).toBe(2);
    expect(started.output().trim()).toBe(`BAD_INPUT: ${message}`);
  });

  it('ends when its parent is gone, and hands all but its own to the dashboard', async () => {
    const pages = http
      .createServer(({ method, url, headers }, response) => response.end(`${method} ${url} for ${headers['x-forwarded-host']}`))
      .listen(0, '127.0.0.1');
    await new Promise((resolve) => pages.once('listening', resolve));
    const port = await freePort();
    const started = start({ PORT: String(port), DASHBOARD_URL: `http://127.0.0.1:${(pages.address() as net.AddressInfo).port}` });
    const url = await listening(started);
    const page = async (at: string): Promise<string> => (await fetch(`${url}${at}`)).text();
    expect(await page('/')).toBe(`GET / for 127.0.0.1:${port}`);
    expect(await page('/studies')).toBe(`GET /studies for 127.0.0.1:${port}`);
    expect(await page('/runs/demo-baseline?tab=1')).toBe(`GET /runs/demo-baseline?tab=1 for 127.0.0.1:${port}`);
    expect(JSON.parse(await page('/images/none.png'))).toMatchObject({ code: 'NOT_FOUND' });
    expect((await fetch(`${url}/studies`, { method: 'POST', headers: { 'content-type': 'image/png' }, body: 'x' })).status).toBe(400);
    pages.close();
    pages.closeAllConnections();
    const gone = await fetch(`${url}/`);
    expect([gone.status, ((await gone.json()) as { code: string }).code]).toEqual([503, 'UNAVAILABLE']);
    started.child.disconnect();
    expect(await started.exited).toBe(0);
  });
});
