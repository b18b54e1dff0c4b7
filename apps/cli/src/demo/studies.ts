import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { BOXED_FINDINGS, CxrError, openPrepared } from '@cxr-lens/data';
import type { DemoPaths } from './science.ts';

/** One boxed test image of each of the eight findings goes the way of any upload, so that the first look at the studies is not an empty list. */
export async function uploadExamples(address: string, paths: DemoPaths): Promise<void> {
  const form = new FormData();
  if (!existsSync(path.join(paths.phantom, 'images'))) return;
  for (const name of await exampleNames(paths.prepared)) {
    const bytes = await readFile(path.join(paths.phantom, 'images', name));
    form.append('file', new Blob([bytes], { type: 'image/png' }), name);
  }
  const response = await fetch(`${address}/studies`, { method: 'POST', body: form });
  if (!response.ok) throw new CxrError('UNAVAILABLE', `The examples could not be uploaded: ${response.status} ${await response.text()}`);
}

async function exampleNames(prepared: string): Promise<string[]> {
  const data = await openPrepared(prepared);
  try {
    const boxed = data.images.filter((image) => image.split === 'test' && image.boxes.length > 0);
    const names = BOXED_FINDINGS.map((finding) => boxed.find((image) => image.boxes.some((box) => box.finding === finding))?.name);
    return [...new Set(names.filter((name) => name !== undefined))];
  } finally {
    data.close();
  }
}
