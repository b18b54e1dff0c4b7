import { mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { cxrHome, openPrepared, prepare, readNih } from '@cxr-lens/data';
import { type PrismaClient, registerDataSet } from '@cxr-lens/prisma';

const TABLES = ['BBox_List_2017.csv', 'Data_Entry_2017_v2020.csv', 'test_list.txt', 'train_val_list.txt'];

/** Prepares and registers a few images of the sample at 32 x 32; gives a boxed one and another one. */
export async function makeBoxedDataSet(prisma: PrismaClient, sample: string): Promise<{ name: string; bytes: Buffer; other: Buffer }> {
  const folder = mkdtempSync(path.join(cxrHome(), 'few-'));
  mkdirSync(path.join(folder, 'images'));
  for (const table of TABLES) symlinkSync(path.join(sample, table), path.join(folder, table));
  const { images } = await readNih(sample, { images: 'images-256' });
  const boxed = images.find(({ boxes }) => boxes.length > 0)!;
  const few = [
    boxed,
    ...(['train', 'validation', 'test'] as const).flatMap((split) =>
      images.filter((image) => image.split === split && image !== boxed).slice(0, 3),
    ),
  ];
  for (const { name, file } of few) symlinkSync(file, path.join(folder, 'images', name));
  const out = path.join(folder, 'few.cxr');
  await prepare({ folder, out, size: 32 });
  await registerDataSet(prisma, out);
  const data = await openPrepared(out);
  const known = data.images.some(({ name, boxes }) => name === boxed.name && boxes.length > 0);
  data.close();
  if (!known) throw new Error(`${boxed.name} lost its boxes`);
  return { name: boxed.name, bytes: readFileSync(boxed.file), other: readFileSync(few.at(-1)!.file) };
}
