import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CxrEvent, subscribeEvents } from './events.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(() => database?.drop());

it('a subscriber that loses its connection makes a new one and is told to read everything', async () => {
  const { prisma, url } = database;
  const stop = new AbortController();
  const events: CxrEvent[] = [];
  const listening = (async () => {
    for await (const event of subscribeEvents(url, { signal: stop.signal })) events.push(event);
  })();
  await expect.poll(() => events, { timeout: 30_000 }).toEqual([{ type: 'resync' }]);
  await prisma.$queryRaw`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN cxr_events' AND datname = current_database()`;
  await expect.poll(() => events, { timeout: 30_000 }).toEqual([{ type: 'resync' }, { type: 'resync' }]);
  await prisma.job.create({ data: { id: 'one', kind: 'TRAIN', input: {} } });
  await prisma.jobEvent.create({ data: { jobId: 'one', message: 'something' } });
  await prisma.$executeRaw`SELECT pg_notify('cxr_events', 'not ours')`;
  await expect.poll(() => events.slice(2), { timeout: 30_000 }).toContainEqual({ type: 'job', id: 'one' });
  expect(events.slice(2).every((event) => event.type === 'job' && event.id === 'one')).toBe(true);
  stop.abort();
  await listening;
});
