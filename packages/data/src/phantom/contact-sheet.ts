import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type OverlayOptions } from 'sharp';
import { FINDINGS, type Finding, findingLabel } from '../findings.ts';
import { encodeGreyPng } from '../render/png.ts';
import { renderImage } from './render.ts';
import { singleFinding } from './single-finding.ts';

/**
 * Draws a sheet of all findings, PA and AP, from faint to obvious:
 * tsx packages/data/src/phantom/contact-sheet.ts docs/images/phantom.png
 */
const SIZE = 128;
const COLUMNS = [
  { view: 'PA', grade: 0.35 },
  { view: 'PA', grade: 0.95 },
  { view: 'AP', grade: 0.6 },
  { view: 'AP', grade: 0.95 },
] as const;
const LABEL = 18;
const BLOCKS = 2;

async function contactSheet(file: string): Promise<void> {
  const rows: (Finding | null)[] = [...FINDINGS, null]; // null: nothing found
  const perBlock = Math.ceil(rows.length / BLOCKS);
  const block = COLUMNS.length * SIZE;
  const tiles: OverlayOptions[] = [];
  for (const [row, finding] of rows.entries()) {
    const left = Math.floor(row / perBlock) * (block + 8);
    const top = (row % perBlock) * (SIZE + LABEL);
    tiles.push({ input: labelOf(finding ? findingLabel(finding) : 'No finding', block), left, top });
    for (const [column, { view, grade }] of COLUMNS.entries()) {
      const { pixels } = renderImage(singleFinding(finding, { view, grade, number: row * COLUMNS.length + column, sheet: 'sheet' }), {
        seed: 1,
        size: 2 * SIZE,
      });
      const raw = { width: 2 * SIZE, height: 2 * SIZE, channels: 1 as const };
      const input = await sharp(pixels, { raw }).resize(SIZE, SIZE).png().toBuffer();
      tiles.push({ input, left: left + column * SIZE, top: top + LABEL });
    }
  }
  const background = {
    width: BLOCKS * block + 8 * (BLOCKS - 1),
    height: perBlock * (SIZE + LABEL),
    channels: 3 as const,
    background: '#111',
  };
  const { data, info } = await sharp({ create: background }).composite(tiles).greyscale().raw().toBuffer({ resolveWithObject: true });
  const pixels = Uint8Array.from({ length: info.width * info.height }, (_, i) => data[i * info.channels]! & 0xf8); // 32 greys: half the bytes
  const png = await encodeGreyPng({ width: info.width, height: info.height, pixels });
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, png);
  process.stdout.write(
    `${file}: ${Math.round(png.length / 1000)} kB, rows: finding; columns: PA faint, PA obvious, AP middling, AP obvious\n`,
  );
}

function labelOf(text: string, width: number): Buffer {
  return Buffer.from(
    `<svg width="${width}" height="${LABEL}"><text x="6" y="13" font-family="sans-serif" font-size="12" fill="#ddd">${text}</text></svg>`,
  );
}

const [file] = process.argv.slice(2);
if (!file) throw new Error('Usage: tsx packages/data/src/phantom/contact-sheet.ts FILE.png');
await contactSheet(file);
