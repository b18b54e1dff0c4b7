import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The content of `backup.json`. It is written last: a folder without it is no finished backup. */
const ManifestSchema = z.object({
  format: z.literal(1),
  createdAt: z.iso.datetime(),
  /** Migrations of the database, in order. */
  migrations: z.array(z.object({ name: z.string(), checksum: sha256 })),
  /** In an order in which they can be filled: a row comes after the rows that it refers to. */
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()), rows: z.int().min(0), sha256 })),
  /** Null if the backup holds the database alone. */
  files: z
    .object({
      objects: z.int().min(0),
      /** Every file of each run folder. */
      runs: z.array(z.object({ id: z.string(), files: z.array(z.object({ path: z.string(), sha256 })) })),
    })
    .nullable(),
});

export type Manifest = z.infer<typeof ManifestSchema>;

/** The files of a backup folder. */
export const backupFiles = (folder: string) => ({
  manifest: path.join(folder, 'backup.json'),
  table: (name: string): string => path.join(folder, 'database', `${name}.copy`),
  objects: path.join(folder, 'objects'),
  run: (id: string): string => path.join(folder, 'runs', id),
});

export function writeManifest(folder: string, manifest: Manifest): void {
  writeFileSync(backupFiles(folder).manifest, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
}

/** CxrError NOT_FOUND for a folder without a finished backup, CORRUPT for a manifest that is none. */
export function readManifest(folder: string): Manifest {
  const { manifest } = backupFiles(folder);
  if (!existsSync(manifest)) {
    throw new CxrError(
      'NOT_FOUND',
      `${folder} holds no finished backup: it has no backup.json. Name the folder that "cxr-lens backup" wrote.`,
    );
  }
  try {
    return ManifestSchema.parse(JSON.parse(readFileSync(manifest, 'utf8')));
  } catch (cause) {
    throw new CxrError(
      'CORRUPT',
      `${manifest} is damaged, or of a newer version: ${(cause as Error).message.slice(0, 300)}. Use another backup.`,
      {
        cause,
      },
    );
  }
}
