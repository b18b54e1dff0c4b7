// Generates the Prisma client and the types of Pothos' Prisma plugin into generated. Works offline and on Node >= 20.19:
// `prisma generate` needs no schema engine, yet Prisma's command line downloads one unless it is told where one is.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const cli = createRequire(import.meta.url).resolve('prisma/build/index.js');
const binaries = path.join(path.dirname(cli), '../../.bin'); // where Prisma looks for prisma-pothos-types
const { status, error, stdout, stderr } = spawnSync(process.execPath, [cli, 'generate', '--schema', 'schema.prisma'], {
  cwd: import.meta.dirname,
  encoding: 'utf8',
  env: {
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    ...process.env,
    PATH: `${binaries}${path.delimiter}${process.env.PATH ?? ''}`,
  },
});
if (status !== 0) {
  process.stderr.write(`prisma generate failed: ${error?.message ?? `${stdout}${stderr}`}\n`);
  process.exitCode = 1;
}
