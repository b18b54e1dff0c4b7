import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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

type Encode = (samples: Uint16Array, size: { width: number; height: number }) => Promise<Buffer>;

/** Prepares and registers three images of 12 bits in 16-bit files, 32 x 32; gives the test image, which is boxed and darker than the others. */
export async function makeSixteenBitDataSet(prisma: PrismaClient, encode: Encode): Promise<{ name: string; bytes: Buffer }> {
  const folder = mkdtempSync(path.join(cxrHome(), 'deep-'));
  mkdirSync(path.join(folder, 'images'));
  const names = ['00000001_000.png', '00000002_000.png', '00000003_000.png'];
  const header = 'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position';
  const scale = 1024 / 32;
  const tables = {
    'Data_Entry_2017_v2020.csv': [header, ...names.map((name, index) => `${name},Mass,0,${index},50,F,PA`)],
    'BBox_List_2017.csv': [
      'Image Index,Finding Label,Bbox [x,y,w,h],,,',
      `${names[2]},Mass,${[1, 2, 3, 4].map((side) => side * scale).join(',')},,,`,
    ],
    'train_val_list.txt': names.slice(0, 2),
    'test_list.txt': names.slice(2),
  };
  for (const [file, lines] of Object.entries(tables)) writeFileSync(path.join(folder, file), `${lines.join('\n')}\n`);
  for (const [index, name] of names.entries()) {
    const samples = Uint16Array.from({ length: 32 * 32 }, (_, i) => (i * (index + 1)) % (index === 2 ? 900 : 4096));
    writeFileSync(path.join(folder, 'images', name), await encode(samples, { width: 32, height: 32 }));
  }
  const out = path.join(folder, 'deep.cxr');
  await prepare({ folder, out, size: 32, bits: 12 });
  await registerDataSet(prisma, out);
  return { name: names[2]!, bytes: readFileSync(path.join(folder, 'images', names[2]!)) };
}

/** Prepares and registers one PA image of that name at 32 x 32, and some more; without boxes. */
export async function makeNoiseDataSet(prisma: PrismaClient, bytes: Uint8Array, name: string): Promise<void> {
  const folder = mkdtempSync(path.join(cxrHome(), 'noise-'));
  mkdirSync(path.join(folder, 'images'));
  const names = [name, 'second.png', 'third.png'];
  for (const file of names) writeFileSync(path.join(folder, 'images', file), bytes);
  const header =
    'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],';
  const rows = names.map((file, patient) => `${file},No Finding,0,${patient + 1},50,F,PA,64,64,0.1,0.1,`);
  writeFileSync(path.join(folder, 'Data_Entry_2017_v2020.csv'), `${[header, ...rows].join('\n')}\n`);
  writeFileSync(path.join(folder, 'BBox_List_2017.csv'), 'Image Index,Finding Label,Bbox [x,y,w,h],,,\n');
  writeFileSync(path.join(folder, 'train_val_list.txt'), `${names[1]}\n${names[2]}\n`);
  writeFileSync(path.join(folder, 'test_list.txt'), `${name}\n`);
  const { path: out } = await prepare({ folder, out: path.join(folder, 'noise.cxr'), size: 32 });
  await registerDataSet(prisma, out);
}
