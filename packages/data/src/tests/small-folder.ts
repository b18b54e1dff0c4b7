import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';

/** A temporary folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cxr-lens-data-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The text files of a small folder in NIH format: 20 patients of two images to train on, 5 to test on, each with a box. */
export interface SmallFolder {
  'Data_Entry_2017_v2020.csv': string;
  'BBox_List_2017.csv': string;
  'train_val_list.txt': string;
  'test_list.txt': string;
}

const HEADER =
  'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,' +
  'OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]';
const LABELS = ['No Finding', 'Cardiomegaly', 'Mass|Nodule', 'Infiltration|Pleural_Thickening'];

export const imageName = (patient: number, followUp: number): string =>
  `${String(patient).padStart(8, '0')}_${String(followUp).padStart(3, '0')}.png`;

/** The four text files; `edit` changes them before they are written. Images are 40 x 32 and lie in `images/`. */
export async function smallFolder(edit: (files: SmallFolder) => void = () => {}, options: { images?: boolean } = {}): Promise<string> {
  const folder = await temporaryFolder();
  const names: { name: string; patient: number; followUp: number }[] = [];
  for (let patient = 1; patient <= 25; patient += 1) {
    for (const followUp of [0, 1]) names.push({ name: imageName(patient, followUp), patient, followUp });
  }
  const test = names.filter(({ patient }) => patient > 20);
  const files: SmallFolder = {
    'Data_Entry_2017_v2020.csv': lines([
      HEADER,
      ...names.map(({ name, patient, followUp }) => {
        const sex = patient % 2 ? 'F' : 'M';
        return `${name},${LABELS[(patient + followUp) % 4]},${followUp},${patient},${30 + patient},${sex},${followUp ? 'AP' : 'PA'},2500,2048,0.171,0.171`;
      }),
    ]),
    'BBox_List_2017.csv': lines([
      'Image Index,Finding Label,Bbox [x,y,w,h],,,',
      ...test.map(({ name }, index) => `${name},${index % 2 ? 'Infiltrate' : 'Mass'},${100 + index},200.5,300.25,${400 + index},,,`),
    ]),
    'train_val_list.txt': lines(names.filter(({ patient }) => patient <= 20).map(({ name }) => name)),
    'test_list.txt': lines(test.map(({ name }) => name)),
  };
  edit(files);
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  if (options.images !== false)
    await writeImages(
      path.join(folder, 'images'),
      names.map(({ name }) => name),
    );
  return folder;
}

/** Grey PNGs of 40 x 32 with another pattern each. */
export async function writeImages(folder: string, names: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [index, name] of names.entries()) {
    const pixels = Uint8Array.from({ length: 40 * 32 }, (_, i) => (i * (index + 3) + ((i / 40) | 0) * 5) % 256);
    await sharp(pixels, { raw: { width: 40, height: 32, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toFile(path.join(folder, name));
  }
}

function lines(texts: readonly string[]): string {
  return `${texts.join('\n')}\n`;
}
