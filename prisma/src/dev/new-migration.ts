// npm run migration -w @cxr-lens/prisma -- NAME: writes migrations/<time>_<name>/migration.sql from what schema.prisma has over the migrations.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { schemaDifference } from './schema-engine.ts';

const name = process.argv[2];
if (!name || !/^[a-z0-9_]+$/.test(name)) throw new Error('give the migration a name of a-z, 0-9 and _');

const sql = await schemaDifference();
if (sql === '') {
  process.stderr.write('the migrations already make schema.prisma: nothing to write\n');
} else {
  const stamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const folder = path.resolve(import.meta.dirname, '../../migrations', `${stamp}_${name}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'migration.sql'), sql);
  process.stdout.write(`${folder}\n`);
}
