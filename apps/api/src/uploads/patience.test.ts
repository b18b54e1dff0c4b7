import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPatience, heard } from './patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<number>(() => undefined);
const after = (ms: number, bytes: number): Promise<number> => new Promise((resolve) => setTimeout(resolve, ms, bytes));

describe('a sender', () => {
  it('that falls silent is given up after 30 s', async () => {
    const given = heard(never, { where: 'a.png', patience: createPatience(), size: Number }).catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await given).toBe('a.png: less than 64 KiB came in 30 s. Send it again.');
  });

  it('that drips a byte every 10 s is given up after 30 s too', async () => {
    const patience = createPatience();
    const dripping = (async () => {
      for (let byte = 1; ; byte += 1) {
        await heard(after(10_000, 1), { where: 'a.png', patience, size: Number });
        if (byte > 10) return 'never given up';
      }
    })().catch((error: { code: string }) => error.code);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await Promise.race([dripping, Promise.resolve('still waited for')])).toBe('CANCELLED');
  });

  it('that is slow and steady may take as long as it needs', async () => {
    const patience = createPatience();
    const steady = (async () => {
      for (let second = 0; second < 600; second += 1) await heard(after(1000, 4096), { where: 'a.png', patience, size: Number });
      return 'arrived';
    })();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(await steady).toBe('arrived');
  });

  it('is not blamed for the time in which nothing was asked of it', async () => {
    const patience = createPatience();
    for (let part = 0; part < 10; part += 1) {
      const coming = heard(after(1000, 10), { where: 'a.png', patience, size: Number });
      await vi.advanceTimersByTimeAsync(1000);
      await coming;
      await vi.advanceTimersByTimeAsync(60_000); // the part before is decoded
    }
    expect(patience.waitedMs).toBeLessThanOrEqual(10_000);
  });
});
