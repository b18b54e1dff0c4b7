import { existsSync } from 'node:fs';
import { type KnownBox, NIH_SIZE, openPrepared, type PreparedData, type PreparedImage, scaleBox } from '@cxr-lens/data';
import type { DataSet, PrismaClient } from '@cxr-lens/prisma';
import type { FastifyBaseLogger } from 'fastify';
import type { Squash } from '../pictures/draw.ts';

interface OpenDataSet {
  datasetHash: string;
  data: PreparedData;
  byName: Map<string, number>;
}

export interface Candidate {
  /** How its data set decoded it. */
  squash: Squash;
  image: PreparedImage;
  /** True for pixels that are this very image. */
  isSame(pixels: Uint8Array): boolean;
}

/** The registered data sets' images by file name: an upload that is one of them by name and by pixels has known boxes. */
export interface KnownImages {
  /** Images of that name; a prepared file that this machine cannot read has none, and one of its images that is damaged is nobody's. */
  candidates(fileName: string): Promise<Candidate[]>;
  close(): void;
}

export function knownImages(prisma: PrismaClient, log: FastifyBaseLogger): KnownImages {
  const open = new Map<string, Promise<OpenDataSet | null>>();
  const opened = (dataSet: DataSet): Promise<OpenDataSet | null> => {
    const kept = open.get(dataSet.datasetHash) ?? openDataSet(dataSet);
    open.set(dataSet.datasetHash, kept);
    // A file that is not there today may be there at the next upload.
    void kept.then((result) => result ?? open.delete(dataSet.datasetHash));
    return kept;
  };
  /** A damaged data set is logged and left out: it must not refuse an upload that has nothing to do with it. */
  const candidate = ({ datasetHash, data }: OpenDataSet, index: number): Candidate => ({
    // 0.1.0 read every 16-bit file by all of its bits.
    squash: { size: data.size, bits: data.bits ?? 16 },
    image: data.images[index]!,
    isSame: (pixels) => {
      try {
        return Buffer.from(pixels).equals(data.pixels(index));
      } catch (error) {
        log.warn({ err: error }, 'an upload is not compared with a damaged data set');
        // It may be repaired by the next one.
        data.close();
        open.delete(datasetHash);
        return false;
      }
    },
  });
  return {
    candidates: async (fileName) => {
      const sets = await Promise.all((await prisma.dataSet.findMany()).map(opened));
      return sets.flatMap((set) => {
        const index = set?.byName.get(fileName);
        return set && index !== undefined ? [candidate(set, index)] : [];
      });
    },
    close: () => {
      for (const opening of open.values()) void opening.then((set) => set?.data.close());
      open.clear();
    },
  };
}

async function openDataSet({ path, datasetHash }: DataSet): Promise<OpenDataSet | null> {
  if (!existsSync(path)) return null;
  const data = await openPrepared(path).catch(() => null);
  // A file that was prepared anew and not registered yet is another data set.
  if (!data || data.datasetHash !== datasetHash) {
    data?.close();
    return null;
  }
  return { datasetHash, data, byName: new Map(data.images.map(({ name }, index) => [name, index])) };
}

/** NIH's boxes in the pixels of an image of this size. */
export function boxesIn(boxes: readonly KnownBox[], size: { width: number; height: number }): KnownBox[] {
  return boxes.map(({ finding, box }) => ({ finding, box: scaleBox(box, { width: NIH_SIZE, height: NIH_SIZE }, size) }));
}
