import { setTimeout as sleep } from 'node:timers/promises';
import { CxrError, cxrHome, roomIn } from '@cxr-lens/data';
import { embeddedFolder, type JobAttempt } from '@cxr-lens/prisma';

const LOOK_MS = 5000;

/** Waits while the disk is nearly full: what nobody started by hand goes on by itself once there is room. CANCELLED when aborted. */
export async function waitForRoom(job: Pick<JobAttempt<'explain'>, 'signal' | 'addEvent'>, { lookMs = LOOK_MS } = {}): Promise<void> {
  const embedded = embeddedFolder();
  const folders = [cxrHome(), ...(embedded === null ? [] : [embedded])];
  if ((await roomIn(folders)) > 0) return;
  await job.addEvent('The disk is nearly full: it waits for space and then goes on by itself.');
  while ((await roomIn(folders)) <= 0) {
    await sleep(lookMs, undefined, { signal: job.signal }).catch(() => undefined);
    if (job.signal.aborted) throw new CxrError('CANCELLED', 'Stopped while it waited for space on the disk.');
  }
  await job.addEvent('There is space again.');
}
