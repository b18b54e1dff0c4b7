import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lostBytes, watch } from './client.ts';
import { serve } from './served.ts';
import { breaks, type Conditions, type Outcome, Skipped } from './trial.ts';

const SIZE = 64 * 2 ** 20;
const UPLOADS = 20;

/** Uploads to a disk that is nearly full, and to one that has space again. */
export async function disk({ signal, say }: Conditions): Promise<Outcome> {
  const begun = Date.now();
  const folder = mkdtempSync(path.join(tmpdir(), 'cxr-disk-'));
  try {
    mountOrSkip(folder);
    try {
      const { home, client } = await serve(signal, path.join(folder, 'home'));
      try {
        return { ...(await fillUp({ folder, home, client, say })), seconds: (Date.now() - begun) / 1000 };
      } finally {
        await home.remove();
      }
    } finally {
      execFileSync('umount', ['-l', folder]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Served = Awaited<ReturnType<typeof serve>>;

async function fillUp({
  folder,
  home,
  client,
  say,
}: Served & Pick<Conditions, 'say'> & { folder: string }): Promise<Omit<Outcome, 'seconds'>> {
  const watched = watch(home, client);
  const filler = path.join(folder, 'filler');
  const statuses: number[] = [];
  for (let i = 0; i < 3 * UPLOADS; i++) {
    if (i === UPLOADS) {
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(filler, Buffer.alloc(bavail * bsize - SIZE / 25));
    }
    if (i === 2 * UPLOADS) rmSync(filler);
    statuses.push(await client.upload(256));
  }
  const lost = lostBytes(home.folder, client.acknowledged.values());
  const refused = statuses.filter((status) => status === 507).length;
  say(`disk: ${client.acknowledged.size} acknowledged, ${refused} refused`);
  return {
    what: 'a disk that is nearly full, then has space',
    rounds: 1,
    acknowledged: client.acknowledged.size,
    lost,
    ...(await watched.stop()),
    notes: [`${refused} refused with 507 while it was full`],
    broken: [
      ...breaks(lost > 0, `${lost} lost`),
      ...breaks(
        statuses.slice(UPLOADS, 2 * UPLOADS).some((status) => status !== 507),
        `answers on a full disk: ${statuses.slice(UPLOADS, 2 * UPLOADS)}`,
      ),
      ...breaks(
        [...statuses.slice(0, UPLOADS), ...statuses.slice(2 * UPLOADS)].some((status) => status !== 200),
        'not every upload was taken with space',
      ),
    ],
  };
}

function mountOrSkip(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    throw new Skipped(`a small disk is a mount, which needs root: ${(error as Error).message.split('\n').at(-1)}`);
  }
}
