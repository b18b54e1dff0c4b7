import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { BOXED_FINDINGS, CxrError, openPrepared } from '@cxr-lens/data';
import type { Client } from './client.ts';
import type { DemoPaths } from './science.ts';

/**
 * Eight boxed test images, one for each of the eight findings, go the way of any upload, so that the first look at the studies is not an empty
 * list. Uploaded while the demo is not whole: later, what was deleted stays deleted, unless all are gone.
 */
export async function uploadExamples({ prisma }: Pick<Client, 'prisma'>, paths: DemoPaths, address: Promise<string>): Promise<void> {
  if (!existsSync(path.join(paths.phantom, 'images'))) return;
  const names = await exampleNames(paths.prepared);
  const known = await prisma.image.findMany({ where: { fileName: { in: names } }, select: { fileName: true } });
  const missing = names.filter((name) => !known.some(({ fileName }) => fileName === name));
  const measured = await prisma.evaluation.count({ where: { runId: { in: Object.values(paths.runs).map((run) => path.basename(run)) } } });
  if (missing.length === 0 || (measured > 0 && missing.length < names.length)) return;
  const form = new FormData();
  for (const name of missing) {
    const bytes = await readFile(path.join(paths.phantom, 'images', name));
    form.append('file', new Blob([bytes], { type: 'image/png' }), name);
  }
  const response = await fetch(`${await address}/studies`, { method: 'POST', body: form });
  if (!response.ok) throw new CxrError('UNAVAILABLE', `The examples could not be uploaded: ${response.status} ${await response.text()}`);
}

async function exampleNames(prepared: string): Promise<string[]> {
  const data = await openPrepared(prepared);
  try {
    const boxed = data.images.filter((image) => image.split === 'test' && image.boxes.length > 0);
    const names = new Set<string>();
    for (const finding of BOXED_FINDINGS) {
      const found = boxed.find(({ name, boxes }) => !names.has(name) && boxes.some((box) => box.finding === finding));
      if (found) names.add(found.name);
    }
    return [...names];
  } finally {
    data.close();
  }
}
