import { existsSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { readBytes, readJson, runFiles, sha256, writeAtomic } from '../run-folder.ts';
import { decodeSafetensors, type HostTensor } from '../safetensors.ts';
import { type ImportedFile, ImportedFileSchema } from '../spec/index.ts';

const importedFile = (folder: string): string => path.join(path.resolve(folder), 'imported.json');

/** Whether `importWeights` made the folder. */
export function isImported(folder: string): boolean {
  return existsSync(importedFile(folder));
}

export function writeImported(folder: string, imported: ImportedFile): void {
  writeAtomic(importedFile(folder), `${JSON.stringify(imported, null, 2)}\n`);
}

/** `imported.json` of the folder. CxrError NOT_FOUND, CORRUPT. */
export function readImported(folder: string): ImportedFile {
  return readJson(importedFile(folder), ImportedFileSchema, `${folder} holds no imported weights: it has no imported.json.`);
}

/** Imported weights, checked against their papers. CxrError NOT_FOUND, CORRUPT. */
export function readImportedWeights(folder: string): { file: ImportedFile; tensors: Map<string, HostTensor> } {
  const imported = readImported(folder);
  const file = runFiles(folder).weights;
  const bytes = readBytes(file, () => new CxrError('CORRUPT', `${file} is missing beside its imported.json; import the weights again.`));
  const found = sha256(bytes);
  if (found !== imported.weightsSha256) {
    throw new CxrError(
      'CORRUPT',
      `${file} has SHA-256 ${found}, its imported.json says ${imported.weightsSha256}; import the weights again.`,
    );
  }
  return { file: imported, tensors: decodeSafetensors(bytes, file).tensors };
}
