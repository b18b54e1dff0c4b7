import { type Client, createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeRun, startTestApi, type TestApi } from './testing.ts';

let api: TestApi;
let client: Client;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());
beforeEach(() => {
  client = createClient({ url: `${api.url.replace('http', 'ws')}/graphql`, retryAttempts: 0 });
});
afterEach(() => client.dispose());

const makeJob = (id: string) => api.prisma.job.create({ data: { id, kind: 'EXPLAIN', input: {} } });

interface JobResult {
  job: { state: string; progress: { done: number } | null };
}

const jobQuery = (id: string): { query: string } => ({
  query: `subscription { job(id: "${id}") { id state progress { what done total } events { message } } }`,
});

describe('a greedy client', () => {
  /** A socket after its handshake, with the messages that came. */
  async function connect(): Promise<{ socket: WebSocket; got: { id?: string; type: string; payload?: unknown }[] }> {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const got: { id?: string; type: string; payload?: unknown }[] = [];
    socket.addEventListener('message', ({ data }) => got.push(JSON.parse(String(data)) as { type: string }));
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    socket.send('{"type":"connection_init"}');
    await expect.poll(() => got.map(({ type }) => type)).toEqual(['connection_ack']);
    return { socket, got };
  }

  it('has at most 100 subscriptions a socket; the next one is refused, the others go on', async () => {
    await makeJob('many');
    const { socket, got } = await connect();
    for (let at = 0; at < 101; at += 1) socket.send(JSON.stringify({ id: `s${at}`, type: 'subscribe', payload: jobQuery('many') }));
    await expect.poll(() => got.filter(({ type }) => type === 'next').length, { timeout: 20_000 }).toBeGreaterThanOrEqual(100);
    const [refused, ...others] = got.filter(({ type }) => type === 'error');
    expect(others).toEqual([]);
    expect(refused).toMatchObject({
      id: 's100',
      payload: [{ message: expect.stringContaining('100 subscriptions'), extensions: { code: 'BAD_INPUT' } }],
    });
    socket.close();
  });

  it('that floods a socket keeps nobody waiting', async () => {
    const { socket } = await connect();
    for (let at = 0; at < 10_000; at += 1) {
      socket.send(JSON.stringify({ id: 'f', type: 'subscribe', payload: { query: '{ viewer { name } }' } }));
      socket.send('{"id":"f","type":"complete"}');
    }
    for (let asked = 0; asked < 5; asked += 1) {
      expect((await fetch(`${api.url}/healthz`, { signal: AbortSignal.timeout(20_000) })).status).toBe(200);
    }
    socket.close();
  });
});

describe('job', () => {
  it('sends the present state, then each change, and closes when the job has ended', async () => {
    await makeJob('j1');
    const results = client.iterate<JobResult>(jobQuery('j1'));
    // A state may come twice: the database's connection says "anything may have changed" when it is made.
    const nextBeing = async (state: string) => {
      for await (const { data } of { [Symbol.asyncIterator]: () => ({ next: () => results.next() }) })
        if (data?.job.state === state) return data.job;
      return null;
    };
    expect((await results.next()).value?.data?.job).toMatchObject({ state: 'QUEUED', progress: null });
    const progress = { progressWhat: 'explaining', progressDone: 1, progressTotal: 2 };
    await api.prisma.job.update({ where: { id: 'j1' }, data: { state: 'RUNNING', ...progress } });
    expect(await nextBeing('RUNNING')).toMatchObject({ progress: { what: 'explaining', done: 1, total: 2 } });
    await api.prisma.job.update({ where: { id: 'j1' }, data: { state: 'DONE' } });
    expect(await nextBeing('DONE')).not.toBeNull();
    expect(await results.next()).toEqual({ done: true, value: undefined });
  });

  it.each([
    ['job', () => makeJob('late'), () => api.prisma.job.update({ where: { id: 'late' }, data: { state: 'DONE' } })],
    [
      'run',
      () => makeRun(api.prisma, 'baseline', { id: 'late', state: 'TRAINING' }),
      () => api.prisma.run.update({ where: { id: 'late' }, data: { state: 'FINISHED' } }),
    ],
  ] as const)('and run: %s that changes long after the time of a query is told, and closes', async (type, make, end) => {
    await make();
    const results = client.iterate<Record<string, { state: string }>>({ query: `subscription { ${type}(id: "late") { state } }` });
    await results.next();
    const now = performance.now.bind(performance);
    const later = vi.spyOn(performance, 'now').mockImplementation(() => now() + 3_600_000);
    await end();
    const told: (string | undefined)[] = [];
    for await (const { data, errors } of { [Symbol.asyncIterator]: () => ({ next: () => results.next() }) }) {
      expect(errors).toBeUndefined();
      told.push(data?.[type]?.state);
    }
    later.mockRestore();
    expect(told.at(-1)).toMatch(/DONE|FINISHED/);
  });

  it('that has ended sends its state and closes', async () => {
    await makeJob('j2');
    await api.prisma.job.update({ where: { id: 'j2' }, data: { state: 'FAILED', errorCode: 'CORRUPT', errorMessage: 'cut off' } });
    const seen: unknown[] = [];
    for await (const { data } of client.iterate<JobResult>({ query: 'subscription { job(id: "j2") { state error { code message } } }' }))
      seen.push(data);
    expect(seen).toEqual([{ job: { state: 'FAILED', error: { code: 'CORRUPT', message: 'cut off' } } }]);
  });

  it('misses nothing when changes come faster than they are read', async () => {
    await makeJob('j3');
    const results = client.iterate<JobResult>(jobQuery('j3'));
    await results.next();
    for (let done = 1; done <= 50; done += 1) {
      await api.prisma.job.update({
        where: { id: 'j3' },
        data: { state: 'RUNNING', progressWhat: 'x', progressDone: done, progressTotal: 50 },
      });
    }
    await api.prisma.job.update({ where: { id: 'j3' }, data: { state: 'DONE' } });
    const seen: JobResult['job'][] = [];
    for await (const { data } of results) seen.push(data!.job);
    expect(seen.at(-1)).toMatchObject({ state: 'DONE', progress: { done: 50 } });
  });

  it('is told to all who look, and survives that one leaves', async () => {
    await makeJob('j4');
    const other = createClient({ url: `${api.url.replace('http', 'ws')}/graphql`, retryAttempts: 0 });
    const leaving = other.iterate<JobResult>(jobQuery('j4'));
    const staying = client.iterate<JobResult>(jobQuery('j4'));
    await Promise.all([leaving.next(), staying.next()]);
    await leaving.return!();
    await other.dispose();
    await api.prisma.job.update({ where: { id: 'j4' }, data: { state: 'CANCELLED' } });
    expect((await staying.next()).value?.data?.job.state).toBe('CANCELLED');
  });

  it('of an id that is none is BAD_INPUT', async () => {
    const { value } = await client.iterate<JobResult>(jobQuery('a\\u0000b')).next();
    const message = 'job: id is "a\\u0000b": expected at most 256 characters, none of them a control character.';
    expect(value).toMatchObject({ errors: [{ message, extensions: { code: 'BAD_INPUT' } }] });
  });

  it('that is not there is NOT_FOUND', async () => {
    const staying = client.iterate<JobResult>(jobQuery('j4'));
    const { value } = await client.iterate<JobResult>(jobQuery('nobody')).next();
    expect(value).toMatchObject({ errors: [{ message: 'There is no job nobody.', extensions: { code: 'NOT_FOUND' } }] });
    expect((await staying.next()).value?.data?.job.state).toBe('CANCELLED'); // the socket lives on
  });
});

describe('run', () => {
  it('shows each epoch as it comes', async () => {
    await makeRun(api.prisma, 'baseline', { id: 'r1', state: 'TRAINING' });
    const results = client.iterate<{ run: { state: string; epochs: { epoch: number }[] } }>({
      query: 'subscription { run(id: "r1") { state epochs { epoch } } }',
    });
    const next = async () => (await results.next()).value?.data?.run;
    expect(await next()).toEqual({ state: 'TRAINING', epochs: [] });
    await api.prisma.epoch.create({ data: { runId: 'r1', epoch: 1, trainLoss: 1, validationLoss: 1, seconds: 1 } });
    expect(await next()).toEqual({ state: 'TRAINING', epochs: [{ epoch: 1 }] });
    await api.prisma.run.update({ where: { id: 'r1' }, data: { state: 'FINISHED' } });
    // A state may come twice.
    await expect.poll(async () => (await next())?.state).toBe('FINISHED');
    expect((await results.next()).done).toBe(true);
  });
});

describe('the socket', () => {
  it('answers queries too, with the codes of HTTP', async () => {
    const { value } = await client.iterate({ query: '{ viewer { name } }' }).next();
    expect(value).toEqual({ data: { viewer: { name: 'local' } } });
    const wrong = client.iterate({ query: '{ comparison(finding: Mass, runs: ["none"]) { statement } }' });
    expect((await wrong.next()).value).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  it('refuses what is too deep, and what cannot be read', async () => {
    const deep = `{ run(id: "x") { ${'parent { '.repeat(20)}id${' }'.repeat(20)} } }`;
    await expect(client.iterate({ query: deep }).next()).rejects.toMatchObject([{ extensions: { code: 'BAD_INPUT' } }]);
    await expect(client.iterate({ query: '{ runs(' }).next()).rejects.toMatchObject([{ extensions: { code: 'BAD_INPUT' } }]);
  });
});
