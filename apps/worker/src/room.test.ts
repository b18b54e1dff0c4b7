import { roomIn } from '@cxr-lens/data';
import { expect, it, vi } from 'vitest';
import { waitForRoom } from './room.ts';

vi.mock('@cxr-lens/data', { spy: true });

function job() {
  const events: string[] = [];
  const abort = new AbortController();
  return { events, abort, signal: abort.signal, addEvent: async (message: string) => void events.push(message) };
}

it('does not wait while there is room', async () => {
  vi.mocked(roomIn).mockResolvedValueOnce(1);
  const attempt = job();
  await waitForRoom(attempt);
  expect(attempt.events).toEqual([]);
});

it('waits while there is none, says so, and goes on by itself', async () => {
  for (const room of [-1, -1, 0, 1]) vi.mocked(roomIn).mockResolvedValueOnce(room);
  const attempt = job();
  await waitForRoom(attempt, { lookMs: 1 });
  expect(attempt.events).toEqual([expect.stringMatching(/nearly full/), expect.stringMatching(/space again/)]);
});

it('ends at once when it is cancelled', async () => {
  vi.mocked(roomIn).mockResolvedValue(-1);
  const attempt = job();
  const waiting = waitForRoom(attempt, { lookMs: 60_000 });
  attempt.abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
});
