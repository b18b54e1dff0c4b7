import { CxrError, getObject, type OnProgress } from '@cxr-lens/data';
import type { PrismaClient } from '../../generated/client/client.ts';

const AT_ONCE = 500;

type Harm = 'missing' | 'damaged';

export interface DamagedObjects {
  /** Objects that were compared with their SHA-256. */
  checked: number;
  /** Images whose bytes are not there or not as they were received. */
  images: { id: string; fileName: string | null; harm: Harm }[];
  /** Explanations one of whose maps is; they can be made anew. */
  maps: { imageId: string; runId: string; finding: string; harm: Harm }[];
}

/** Compares every object that a row names with its SHA-256. Rows that change or go meanwhile are not counted. */
export async function verifyObjects(prisma: PrismaClient, { onProgress }: { onProgress?: OnProgress } = {}): Promise<DamagedObjects> {
  const found: DamagedObjects = { checked: 0, images: [], maps: [] };
  const total = (await prisma.image.count()) + 2 * (await prisma.explanation.count());
  const check = async (key: string): Promise<Harm | null> => {
    const harm = await harmOf(key);
    found.checked += 1;
    onProgress?.({ what: 'Comparing objects with their SHA-256', done: Math.min(found.checked, total), total });
    return harm;
  };
  for (let after = ''; ; ) {
    const images = await prisma.image.findMany({ where: { id: { gt: after } }, orderBy: { id: 'asc' }, take: AT_ONCE });
    for (const { id, fileName, objectKey } of images) {
      const harm = await check(objectKey);
      if (harm && (await prisma.image.count({ where: { id, objectKey } })) > 0) found.images.push({ id, fileName, harm });
    }
    if (images.length < AT_ONCE) break;
    after = images.at(-1)!.id;
  }
  for (let after = ''; ; ) {
    const rows = await prisma.explanation.findMany({ where: { id: { gt: after } }, orderBy: { id: 'asc' }, take: AT_ONCE });
    for (const { id, imageId, runId, finding, camKey, saliencyKey } of rows) {
      const [cam, saliency] = [await check(camKey), await check(saliencyKey)];
      const harm = cam ?? saliency;
      if (harm && (await prisma.explanation.count({ where: { id, camKey, saliencyKey } })) > 0)
        found.maps.push({ imageId, runId, finding, harm });
    }
    if (rows.length < AT_ONCE) break;
    after = rows.at(-1)!.id;
  }
  return found;
}

async function harmOf(key: string): Promise<Harm | null> {
  try {
    await getObject(key);
    return null;
  } catch (error) {
    return error instanceof CxrError && error.code === 'NOT_FOUND' ? 'missing' : 'damaged';
  }
}
