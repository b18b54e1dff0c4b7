import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { PrismaPGlite } from 'pglite-prisma-adapter';

/** `prisma/`: the schema, the migrations and everything of this workspace. */
const folder = path.resolve(import.meta.dirname, '../..');

/** Node has it; our types know no browser. */
const { WebAssembly: webAssembly } = globalThis as unknown as {
  WebAssembly: { instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }> };
};

/**
 * The SQL that takes a database with all committed migrations to `schema.prisma`; empty when they agree.
 * Prisma's own schema engine (as WebAssembly) works it out on a PostgreSQL in this process: no server and no network needed.
 */
export async function schemaDifference(): Promise<string> {
  const { SchemaEngine } = await loadEngine();
  const schemaPath = path.join(folder, 'schema.prisma');
  const schema = { path: schemaPath, content: readFileSync(schemaPath, 'utf8') };
  const engine = await SchemaEngine.new(
    { datamodels: [[schema.path, schema.content]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(shadowFactory()),
  );
  const { stdout } = await engine.diff({
    from: { tag: 'migrations', ...migrationList() },
    to: { tag: 'schemaDatamodel', files: [schema] },
    script: true,
    exitCode: true,
    filters: { externalTables: [], externalEnums: [] },
  });
  engine.free();
  return /^\s*(--[^\n]*)?\s*$/.test(stdout ?? '') ? '' : (stdout ?? '');
}

async function loadEngine() {
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = path.join(path.dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm')), 'schema_engine_bg.wasm');
  const { instance } = await webAssembly.instantiate(readFileSync(wasm), { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports['__wbindgen_start'] as () => void)();
  return glue;
}

function shadowFactory() {
  const connect = async () => {
    const database = new PGlite();
    const adapter = await new PrismaPGlite(database).connect();
    // The adapter sends a script as one prepared statement, which Postgres refuses for more than one command.
    adapter.executeScript = async (sql) => void (await database.exec(sql));
    return adapter;
  };
  return { provider: 'postgres' as const, adapterName: 'pglite-prisma-adapter', connect, connectToShadowDb: connect };
}

function migrationList() {
  const baseDir = path.join(folder, 'migrations');
  const names = readdirSync(baseDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return {
    baseDir,
    shadowDbInitScript: '',
    lockfile: { path: 'migration_lock.toml', content: readFileSync(path.join(baseDir, 'migration_lock.toml'), 'utf8') },
    migrationDirectories: names.map((name) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: readFileSync(path.join(baseDir, name, 'migration.sql'), 'utf8') },
      },
    })),
  };
}
