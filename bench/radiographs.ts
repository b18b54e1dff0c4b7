import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { random } from '@cxr-lens/data';
import sharp from 'sharp';

const SIDE = 1024;
/** Drawn; the other files are copies of these. */
const DIFFERENT = 50;
const WAVES = 6;
// With these, the files have NIH's length (0.35 to 0.46 MB) and filters, and take as long to decode.
const NOISE = 1.5;
const PNG = { adaptiveFiltering: true } as const;

/** Writes a folder in NIH format of grey PNGs of 1024 x 1024: smooth shapes under noise. One patient an image, every tenth to test on. */
export async function writeRadiographs(folder: string, count: number): Promise<void> {
  const images = path.join(folder, 'images');
  await mkdir(images, { recursive: true });
  const names = Array.from({ length: count }, (_, index) => `${String(index + 1).padStart(8, '0')}_000.png`);
  for (const [index, name] of names.entries()) {
    const file = path.join(images, name);
    if (index >= DIFFERENT) await copyFile(path.join(images, names[index % DIFFERENT]!), file);
    else
      await sharp(radiograph(index), { raw: { width: SIDE, height: SIDE, channels: 1 } })
        .toColourspace('b-w')
        .png(PNG)
        .toFile(file);
  }
  const header =
    'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]';
  const rows = names.map((name, index) => `${name},No Finding,0,${index + 1},50,F,PA,2500,2048,0.171,0.171`);
  const isTest = (_: string, index: number): boolean => index % 10 === 9;
  const texts = {
    'Data_Entry_2017_v2020.csv': [header, ...rows],
    'BBox_List_2017.csv': ['Image Index,Finding Label,Bbox [x,y,w,h],,,'],
    'train_val_list.txt': names.filter((name, index) => !isTest(name, index)),
    'test_list.txt': names.filter(isTest),
  };
  for (const [name, lines] of Object.entries(texts)) await writeFile(path.join(folder, name), `${lines.join('\n')}\n`);
}

/** [SIDE * SIDE] bytes: a sum of waves of a few periods, and noise. */
function radiograph(index: number): Uint8Array {
  const rng = random(`bench/radiographs/${index}`);
  const wave = (): Float64Array => {
    const [periods, phase] = [rng.next() * 3, rng.next() * 2 * Math.PI];
    return Float64Array.from({ length: SIDE }, (_, at) => Math.cos((periods * 2 * Math.PI * at) / SIDE + phase));
  };
  const waves = Array.from({ length: WAVES }, () => ({ across: wave(), down: wave() }));
  const pixels = new Uint8ClampedArray(SIDE * SIDE);
  for (let at = 0; at < pixels.length; at++) {
    let value = 128 + NOISE * rng.normal();
    for (const { across, down } of waves) value += 20 * across[at % SIDE]! * down[Math.floor(at / SIDE)]!;
    pixels[at] = value;
  }
  return new Uint8Array(pixels.buffer);
}
