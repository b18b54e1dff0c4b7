import path from 'node:path';
import { openPrepared } from '@cxr-lens/data';
import type { DataSet, PrismaClient } from '../../generated/client/client.ts';

/**
 * Makes or renews the row of the prepared file at `file`: one row per content, wherever the file lies. Runs and evaluations that used this
 * content are linked to it. CxrError as `openPrepared`.
 */
export async function registerDataSet(prisma: PrismaClient, file: string): Promise<DataSet> {
  const prepared = await openPrepared(path.resolve(file));
  try {
    const { name, size, synthetic, splitHash, preprocessingVersion, datasetHash } = prepared;
    const columns = {
      name,
      size,
      synthetic,
      splitHash,
      preprocessingVersion,
      path: path.resolve(file),
      trainImages: prepared.rows('train').length,
      validationImages: prepared.rows('validation').length,
      testImages: prepared.rows('test').length,
      boxedPairs: prepared.rows('test').reduce((pairs, row) => pairs + prepared.images[row]!.boxes.length, 0),
    };
    return await prisma.$transaction(async (tx) => {
      const dataSet = await tx.dataSet.upsert({ where: { datasetHash }, create: { datasetHash, ...columns }, update: columns });
      const unlinked = { where: { datasetHash, dataSetId: null }, data: { dataSetId: dataSet.id } };
      await tx.run.updateMany(unlinked);
      await tx.evaluation.updateMany(unlinked);
      return dataSet;
    });
  } finally {
    prepared.close();
  }
}
