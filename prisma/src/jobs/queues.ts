import { PgBoss, type Queue } from 'pg-boss';
import { JOB_NAMES, type JobName } from './inputs.ts';

/** Jobs that failed for good arrive here, whatever killed their last attempt. */
export const DEAD_LETTERS = 'dead-letters';

/** A worker that has been silent for this long is taken for dead; pg-boss allows no less. */
export const HEARTBEAT_SECONDS = 10;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Further attempts after the first; a worker that is asked to stop costs none. */
export const RETRIES = 3;

/** A training that nobody has taken for this long is forgotten. */
export const RETENTION_DAYS = 30;

const common = { deadLetter: DEAD_LETTERS, heartbeatSeconds: HEARTBEAT_SECONDS, notify: true, retryLimit: RETRIES, retryDelay: 1 } as const;

const QUEUES: Record<JobName, Omit<Queue, 'name'>> = {
  phantom: { ...common, expireInSeconds: 12 * HOUR },
  train: { ...common, expireInSeconds: DAY - 1, retentionSeconds: RETENTION_DAYS * DAY },
  evaluate: { ...common, expireInSeconds: 12 * HOUR },
  explain: { ...common, expireInSeconds: HOUR },
};

/** Makes pg-boss' tables and our queues; doing it again brings changed options up to date. */
export async function installQueues(url: string): Promise<void> {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false, registerInstance: false, max: 2 });
  boss.on('error', () => undefined);
  await boss.start();
  try {
    await boss.createQueue(DEAD_LETTERS, { notify: true });
    for (const name of JOB_NAMES) {
      await boss.createQueue(name, QUEUES[name]);
      await boss.updateQueue(name, QUEUES[name]);
    }
  } finally {
    await boss.stop({ graceful: false });
  }
}
