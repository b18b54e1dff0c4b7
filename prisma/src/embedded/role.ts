import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { Cluster } from './cluster.ts';
import { administratorUrl, loopbackUrl } from './server.ts';

/** What the application connects as: owner of its database, nothing on the server beside it, reads and starts no file or program. */
const ROLE = 'cxr_lens';

const passwordFile = (cluster: Cluster): string => path.join(cluster.folder, 'application-password');

/**
 * Makes the database where it is missing, and the application its owner: a database of 0.1.0, which the superuser owned, is handed over
 * with all that it holds. Returns its URL for the application. To be called under `clusterLock`.
 */
export async function ensureApplication(cluster: Cluster, port: number, database: string): Promise<string> {
  const password = await asAdministrator(cluster, port, 'postgres', async (client) => {
    const made = await ensureRole(client, passwordFile(cluster));
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)} OWNER ${ROLE}`);
    return made;
  });
  await asAdministrator(cluster, port, database, handOver);
  return loopbackUrl({ user: ROLE, password, port, database });
}

async function asAdministrator<T>(cluster: Cluster, port: number, database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: administratorUrl(cluster, port, database) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Makes the role, with the password of `file`; a role whose file is lost gets another password. */
async function ensureRole(client: pg.Client, file: string): Promise<string> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [ROLE]);
  if (rowCount === 1 && existsSync(file)) return readFileSync(file, 'utf8').trim();
  const password = randomBytes(18).toString('base64url');
  if (rowCount === 0) await client.query(`CREATE ROLE ${ROLE}`);
  await client.query(
    `ALTER ROLE ${ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD ${client.escapeLiteral(password)}`,
  );
  // Last, and whole: a kill before it makes another password at the next start.
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, `${password}\n`, { mode: 0o600, flush: true });
  renameSync(temporary, file);
  return password;
}

/** Everything of the database that is not yet the application's; `REASSIGN OWNED` refuses the first superuser's objects. */
const FOREIGN = `
  SELECT format('ALTER SCHEMA %I OWNER TO ${ROLE}', nspname) AS sql FROM ours WHERE nspowner NOT IN ('${ROLE}'::regrole, 'pg_database_owner'::regrole)
  UNION ALL
  SELECT format('ALTER %s %s OWNER TO ${ROLE}', CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, pg_class.oid::regclass)
    FROM pg_class JOIN ours ON ours.oid = relnamespace
    WHERE relowner <> '${ROLE}'::regrole AND relkind IN ('r', 'p', 'v', 'm', 'S')
      -- A sequence of a column goes with its table.
      AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND relkind = 'S' AND deptype IN ('a', 'i'))
  UNION ALL
  SELECT format('ALTER ROUTINE %s OWNER TO ${ROLE}', pg_proc.oid::regprocedure)
    FROM pg_proc JOIN ours ON ours.oid = pronamespace WHERE proowner <> '${ROLE}'::regrole
  UNION ALL
  SELECT format('ALTER TYPE %s OWNER TO ${ROLE}', pg_type.oid::regtype)
    FROM pg_type JOIN ours ON ours.oid = typnamespace WHERE typowner <> '${ROLE}'::regrole AND typtype IN ('e', 'd', 'r')
  UNION ALL
  SELECT format('ALTER DATABASE %I OWNER TO ${ROLE}', datname) FROM pg_database WHERE datname = current_database() AND datdba <> '${ROLE}'::regrole`;

async function handOver(client: pg.Client): Promise<void> {
  const ours = `WITH ours AS (SELECT * FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')`;
  const { rows } = await client.query<{ sql: string }>(ours + FOREIGN);
  if (rows.length === 0) return;
  await client.query('BEGIN');
  // An older version may still be at work on these tables.
  await client.query(`SET LOCAL lock_timeout = '20s'`);
  for (const { sql } of rows) await client.query(sql);
  await client.query('COMMIT');
}
