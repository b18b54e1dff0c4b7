import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeGreyPng, type GreyImage, prepare, random } from '@cxr-lens/data';
import { afterAll } from 'vitest';

const HEADER =
  'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,' +
  'OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]';
const SIZE = 96;
/** The bright square of an image with a mass, in pixels of the image. */
const SQUARE = { left: 12, top: 48, side: 30 };
const TRAIN_PATIENTS = 40;
const PATIENTS = 60;

/** A folder that goes with the test file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cxr-lens-model-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * A prepared file of noise for 60 patients, 36 to train on, 4 to validate, 20 to test; every second image has a bright square, labelled
 * Mass and boxed in the test images. `encode` writes the images, by default as 8-bit PNG.
 */
export async function tinyData(
  folder: string,
  { size = SIZE, encode = encodeGreyPng }: { size?: number; encode?: (image: GreyImage) => Promise<Uint8Array> } = {},
): Promise<{ nih: string; prepared: string }> {
  const nih = path.join(folder, 'nih');
  await mkdir(path.join(nih, 'images'), { recursive: true });
  const rows: string[] = [HEADER];
  const boxes: string[] = ['Image Index,Finding Label,Bbox [x,y,w,h],,,'];
  const names: string[] = [];
  for (let patient = 1; patient <= PATIENTS; patient++) {
    const name = `${String(patient).padStart(8, '0')}_000.png`;
    const mass = patient % 2 === 0;
    names.push(name);
    rows.push(`${name},${mass ? 'Mass' : 'No Finding'},0,${patient},50,F,PA,1024,1024,0.14,0.14`);
    if (mass && patient > TRAIN_PATIENTS) {
      const scale = 1024 / SIZE;
      boxes.push(`${name},Mass,${SQUARE.left * scale},${SQUARE.top * scale},${SQUARE.side * scale},${SQUARE.side * scale},,,`);
    }
    const image = { width: SIZE, height: SIZE, pixels: noise(patient, mass) };
    await writeFile(path.join(nih, 'images', name), await encode(image));
  }
  await writeFile(path.join(nih, 'Data_Entry_2017_v2020.csv'), `${rows.join('\n')}\n`);
  await writeFile(path.join(nih, 'BBox_List_2017.csv'), `${boxes.join('\n')}\n`);
  await writeFile(path.join(nih, 'train_val_list.txt'), `${names.slice(0, TRAIN_PATIENTS).join('\n')}\n`);
  await writeFile(path.join(nih, 'test_list.txt'), `${names.slice(TRAIN_PATIENTS).join('\n')}\n`);
  const prepared = path.join(folder, `tiny-${size}.cxr`);
  await prepare({ folder: nih, out: prepared, size });
  return { nih, prepared };
}

function noise(patient: number, mass: boolean): Uint8Array {
  const { next } = random(`tiny/${patient}`);
  return Uint8Array.from({ length: SIZE * SIZE }, (_, i) => {
    const row = Math.floor(i / SIZE) - SQUARE.top;
    const column = (i % SIZE) - SQUARE.left;
    const inside = row >= 0 && row < SQUARE.side && column >= 0 && column < SQUARE.side;
    return 60 + 80 * next() + (mass && inside ? 90 : 0);
  });
}
