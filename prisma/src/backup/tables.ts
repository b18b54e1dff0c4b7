import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CxrError } from '@cxr-lens/data';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Manifest } from './manifest.ts';

type Table = Manifest['tables'][number];

/** Writes every table of the transaction's snapshot, `file(name)` each, in PostgreSQL's COPY text format. */
export async function dumpTables(client: pg.Client, file: (name: string) => string): Promise<Table[]> {
  const tables: Table[] = [];
  for (const name of await tablesInOrder(client)) {
    const columns = await columnsOf(client, name);
    const at = file(name);
    mkdirSync(path.dirname(at), { recursive: true, mode: 0o700 });
    const hash = createHash('sha256');
    const copy = client.query(copyTo(`COPY ${quoted(name)} (${columns.map(quoted).join(', ')}) TO STDOUT`));
    await pipeline(copy, hashing(hash), createWriteStream(at, { mode: 0o600, flush: true }));
    tables.push({ name, columns, rows: copy.rowCount, sha256: hash.digest('hex') });
  }
  return tables;
}

/** Fills empty tables from the files that `dumpTables` wrote. CxrError CORRUPT for a file that is not the one of the manifest. */
export async function loadTables(client: pg.Client, tables: readonly Table[], file: (name: string) => string): Promise<void> {
  for (const { name, columns, rows, sha256 } of tables) {
    // Nobody is told of each restored row.
    await client.query(`ALTER TABLE ${quoted(name)} DISABLE TRIGGER USER`);
    const hash = createHash('sha256');
    const copy = client.query(copyFrom(`COPY ${quoted(name)} (${columns.map(quoted).join(', ')}) FROM STDIN`));
    await pipeline(createReadStream(file(name)), hashing(hash), copy);
    if (copy.rowCount !== rows || hash.digest('hex') !== sha256) {
      throw new CxrError('CORRUPT', `${file(name)} is not the file that the backup wrote. Nothing was restored; use another backup.`);
    }
    await client.query(`ALTER TABLE ${quoted(name)} ENABLE TRIGGER USER`);
  }
  await continueSequences(client);
}

/** Our tables, each after those that it refers to. */
async function tablesInOrder(client: pg.Client): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' ORDER BY 1`,
  );
  const { rows: references } = await client.query<{ table: string; target: string }>(
    `SELECT from_class.relname AS table, to_class.relname AS target FROM pg_constraint
       JOIN pg_class from_class ON from_class.oid = conrelid JOIN pg_class to_class ON to_class.oid = confrelid
       WHERE contype = 'f' AND conrelid <> confrelid AND connamespace = 'public'::regnamespace`,
  );
  const ordered: string[] = [];
  while (ordered.length < tables.length) {
    const free = tables.filter(
      ({ name }) => !ordered.includes(name) && references.every(({ table, target }) => table !== name || ordered.includes(target)),
    );
    if (free.length === 0) throw new CxrError('INTERNAL', 'The tables refer to each other in a circle, so no order can fill them.');
    ordered.push(...free.map(({ name }) => name));
  }
  return ordered;
}

async function columnsOf(client: pg.Client, table: string): Promise<string[]> {
  const sql = `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position`;
  return (await client.query<{ name: string }>(sql, [table])).rows.map(({ name }) => name);
}

async function continueSequences(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ sequence: string; table: string; column: string }>(
    `SELECT pg_get_serial_sequence(quote_ident(table_name), column_name) AS sequence, table_name AS table, column_name AS column
       FROM information_schema.columns WHERE table_schema = 'public' AND column_default LIKE 'nextval(%'`,
  );
  for (const { sequence, table, column } of rows) {
    await client.query(`SELECT setval($1, COALESCE((SELECT max(${quoted(column)}) FROM ${quoted(table)}), 0) + 1, false)`, [sequence]);
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function hashing(hash: ReturnType<typeof createHash>): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}
