import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { answerTasks, decodeNpy, openPrepared, readNih, readTable } from '@cxr-lens/data';
import { readCard, readRun, sha256 } from '@cxr-lens/model/run-folder';
import { decodeSafetensors } from '../../packages/model/src/safetensors.ts';
import { run } from './samples.ts';

/** The readers of files, each given mutated bytes under the name that its sample has, in a folder of the target's own. */
const READERS = {
  npy: async (bytes: Buffer, file: string) => decodeNpy(bytes, file),
  safetensors: async (bytes: Buffer, file: string) => decodeSafetensors(bytes, file),
  csv: async (bytes: Buffer, file: string) => {
    writeFileSync(file, bytes);
    if (file.endsWith('.csv')) await readTable(file);
    return readNih(path.dirname(file));
  },
  prepared: async (bytes: Buffer, file: string) => {
    writeFileSync(file, bytes);
    const data = await openPrepared(file);
    try {
      for (const row of data.images.keys()) data.pixels(row);
    } finally {
      data.close();
    }
  },
  runs: async (bytes: Buffer, file: string) => {
    writeFileSync(file, bytes);
    readRun(path.dirname(file));
  },
  cards: async (bytes: Buffer, file: string) => {
    const folder = path.dirname(file);
    writeFileSync(file, bytes);
    // By the hash of the mutated bytes, so that they are read at all.
    writeFileSync(path.join(folder, 'run.json'), JSON.stringify({ ...run(), cardSha256: sha256(bytes) }));
    readCard(folder);
  },
} as const;

export type ReaderName = keyof typeof READERS;

export interface ReadTask {
  reader: ReaderName;
  bytes: Uint8Array;
  /** Put back into the file afterwards. */
  valid: Uint8Array;
  file: string;
}

answerTasks(async ({ reader, bytes, valid, file }: ReadTask) => {
  try {
    await READERS[reader](Buffer.from(bytes), file);
  } finally {
    writeFileSync(file, valid);
  }
  return null;
});
