import { cxrHome, roomIn } from '@cxr-lens/data';
import { embeddedFolder } from '@cxr-lens/prisma';
import { InsufficientStorage } from '../errors.ts';

/** Refuses what would leave the disk of the objects or of the embedded database too full for the database to go on. */
export type RequireRoom = (bytes: number) => Promise<void>;

/** Throws InsufficientStorage while there is not enough room for that many bytes; it goes on by itself once there is. */
export function roomKeeper(): RequireRoom {
  const embedded = embeddedFolder();
  const folders = [cxrHome(), ...(embedded === null ? [] : [embedded])];
  return async (bytes) => {
    if ((await roomIn(folders)) >= bytes) return;
    throw new InsufficientStorage('The disk is nearly full: there is no room for this upload. Free some space and send it again.');
  };
}
