import path from 'node:path';
import { mountDisk } from '@cxr-lens/data/testing';
import { lostBytes } from './client.ts';
import { serve } from './served.ts';
import { breaks, type Conditions, type Outcome, Skipped } from './trial.ts';

const UPLOADS = 50;

/** The power goes right after the last of 50 uploads was acknowledged. */
export async function power({ signal, say }: Conditions): Promise<Outcome> {
  const begun = Date.now();
  const disk = mountOrSkip();
  try {
    const { home, client } = await serve(signal, path.join(disk.folder, 'home'));
    try {
      for (let i = 0; i < UPLOADS; i++) {
        signal.throwIfAborted();
        await client.upload(256);
      }
      const after = disk.cut();
      const lost = lostBytes(path.join(after, 'home'), client.acknowledged.values());
      say(`power: ${client.acknowledged.size} acknowledged, ${lost} lost`);
      return {
        what: 'power cut after 50 uploads (ext4)',
        rounds: 1,
        acknowledged: client.acknowledged.size,
        lost,
        deafSeconds: null,
        peakMb: null,
        seconds: (Date.now() - begun) / 1000,
        notes: [],
        broken: [...breaks(lost > 0, `${lost} lost`), ...breaks(client.acknowledged.size < UPLOADS, 'not every upload was acknowledged')],
      };
    } finally {
      await home.remove();
    }
  } finally {
    disk.unmount();
  }
}

function mountOrSkip(): ReturnType<typeof mountDisk> {
  try {
    return mountDisk();
  } catch (error) {
    throw new Skipped((error as Error).message);
  }
}
