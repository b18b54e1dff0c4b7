import { describe, expect, it } from 'vitest';
import type { Job } from './queries.ts';
import { timeLeft } from './time-left.ts';
import { awaitedJob } from './under-way.tsx';

const at = (seconds: number): string => new Date(1000 * seconds).toISOString();
const training = (by: 'CAP' | 'STOP_RULE', seconds: number | null = 90) => ({
  kind: 'TRAIN' as const,
  state: 'RUNNING' as const,
  run: { end: { epoch: 14, by, seconds } },
  events: [{ at: at(100) }, { at: at(1000) }],
});

describe('the time that a training has left', () => {
  it('is counted to the cap, or to the earliest end that the stop rule allows, and says which', () => {
    expect(timeLeft(training('CAP'), 1_010_000)).toBe('1 min 20 s left to the cap of 14 epochs.');
    expect(timeLeft(training('STOP_RULE'), 1_010_000)).toBe(
      '1 min 20 s left at the earliest: the stop rule allows the end after epoch 14, a smaller validation loss moves it on.',
    );
  });

  it('is never below nothing', () => {
    expect(timeLeft(training('CAP'), 9_999_000)).toBe('0.0 s left to the cap of 14 epochs.');
  });

  it('is not known before the first epoch has ended, and of no other job', () => {
    const now = 1_010_000;
    expect(timeLeft(training('CAP', null), now)).toBeNull();
    expect(timeLeft({ ...training('CAP'), run: { end: null } }, now)).toBeNull();
    expect(timeLeft({ ...training('CAP'), kind: 'EVALUATE' }, now)).toBeNull();
    expect(timeLeft({ ...training('CAP'), state: 'QUEUED' }, now)).toBeNull();
  });
});

describe('what an empty page waits for', () => {
  const job = (id: string, kind: Job['kind'], state: Job['state']) => ({ id, kind, state }) as Job;

  it('is the job that runs, else the oldest that waits, of the kinds that fill it', () => {
    const jobs = [job('r', 'TRAIN', 'QUEUED'), job('b', 'TRAIN', 'RUNNING'), job('p', 'PHANTOM', 'DONE'), job('x', 'EXPLAIN', 'RUNNING')];
    expect(awaitedJob(jobs)?.id).toBe('b');
    expect(awaitedJob(jobs, ['PHANTOM'])).toBeUndefined();
    expect(awaitedJob([job('c', 'TRAIN', 'QUEUED'), job('p', 'PHANTOM', 'QUEUED')])?.id).toBe('p');
  });
});
