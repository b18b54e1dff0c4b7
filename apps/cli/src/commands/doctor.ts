import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { CxrError, cxrHome } from '@cxr-lens/data';
import type { CommandModule } from '../command.ts';
import { checkAccess } from '../doctor/access.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkObjects } from '../doctor/objects.ts';
import { checkRuns } from '../doctor/runs.ts';
import { EXIT } from '../exit-codes.ts';
import { printResult, stderrProgress } from '../output.ts';

/** A disk with less than this holds no data set beside what is there. */
const ROOM_GIB = 2;

/** Details that a person reads of each part; `--json` has them all. */
const LINES = 20;

async function doctor(options: { json?: true; verify?: true; repair?: true }): Promise<void> {
  const findings = [machine(), await guarded('engine', engine), await guarded('database', database), await guarded('storage', storage)];
  if (options.verify || options.repair) findings.push(...(await verify(options.repair ?? false)));
  const ok = findings.every((finding) => finding.ok);
  if (!ok) process.exitCode = EXIT.partly.code;
  printResult(options, { ok, findings }, findings.flatMap(linesOf).join('\n'));
}

function linesOf({ part, ok, says, details = [] }: Finding): string[] {
  const more = details.length > LINES ? [`... and ${details.length - LINES} more: --json lists them all`] : [];
  const rest = [...details.slice(0, LINES), ...more].map((line) => `${' '.repeat(19)}${line}`);
  return [`${ok ? 'ok     ' : 'PROBLEM'}  ${part.padEnd(9)} ${says}`, ...rest];
}

/** Reads everything that is stored; no row can be looked at without a database. */
async function verify(repair: boolean): Promise<Finding[]> {
  const { createPrisma, ensureDatabase } = await import('@cxr-lens/prisma');
  const access = checkAccess({ repair });
  try {
    const url = await ensureDatabase();
    const prisma = createPrisma(url);
    try {
      const options = { prisma, url, repair, onProgress: stderrProgress() };
      return [await checkObjects(options), await checkRuns(options), access];
    } finally {
      await prisma.$disconnect();
    }
  } catch (error) {
    // The database's own line has said so.
    if (error instanceof CxrError && error.code === 'UNAVAILABLE') return [access];
    throw error;
  }
}

async function guarded(part: Finding['part'], look: () => Promise<string>): Promise<Finding> {
  try {
    return { part, ok: true, says: await look() };
  } catch (error) {
    return { part, ok: false, says: error instanceof CxrError ? `${error.code}: ${error.message}` : String(error) };
  }
}

function machine(): Finding {
  const { glibcVersionRuntime } = (process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }).header;
  const libc = glibcVersionRuntime === undefined ? 'no glibc' : `glibc ${glibcVersionRuntime}`;
  const [major = 0, minor = 0] = (glibcVersionRuntime ?? '0').split('.').map(Number);
  const supported = process.platform === 'linux' && process.arch === 'x64' && (major > 2 || (major === 2 && minor >= 27));
  const here = `${process.platform} ${process.arch}, ${libc}, Node ${process.versions.node}`;
  return { part: 'machine', ok: supported, says: supported ? here : `${here}: only Linux x64 with glibc 2.27 or newer is supported` };
}

async function engine(): Promise<string> {
  const { engineInfo } = await import('@cxr-lens/model');
  const { tensorflow, device, bf16, folder } = engineInfo({ full: true });
  return `TensorFlow ${tensorflow} on the ${device}, the CPU ${bf16 ? 'has' : 'has no'} bfloat16; ${folder}`;
}

async function database(): Promise<string> {
  const { databaseInfo, ensureDatabase, releaseDatabase } = await import('@cxr-lens/prisma');
  const { source, folder, address, version, migrations, connections } = await databaseInfo(await ensureDatabase());
  releaseDatabase();
  const state = migrations.applied === migrations.known ? 'up to date' : `${migrations.applied} of ${migrations.known} migrations applied`;
  const room = `${connections.open} of ${connections.most} connections open, an API or worker takes at most ${connections.aProcess}`;
  return `Postgres ${version}, ${source === 'embedded' ? `embedded in ${folder}` : 'from DATABASE_URL'}, ${address}, ${state}, ${room}`;
}

async function storage(): Promise<string> {
  const home = cxrHome();
  let there = home;
  while (!existsSync(there)) there = path.dirname(there);
  try {
    accessSync(there, constants.W_OK);
  } catch {
    throw new CxrError('UNAVAILABLE', `${there} cannot be written: set CXR_HOME to a folder that can.`);
  }
  const { bavail, bsize } = statfsSync(there);
  const free = (bavail * bsize) / 2 ** 30;
  if (free < ROOM_GIB)
    throw new CxrError('UNAVAILABLE', `${home}: ${free.toFixed(1)} GiB are free; make room or set CXR_HOME to another disk.`);
  return `${home} (${process.env['CXR_HOME'] ? 'CXR_HOME' : 'default'}), ${free.toFixed(0)} GiB free`;
}

export const command: CommandModule = {
  configure(program) {
    program
      .option('--verify', 'also compare every stored object and run folder with its SHA-256')
      .option('--repair', '--verify, then delete what nobody needs, make damaged maps anew, and close files to other accounts')
      .option('--json', 'print the same as JSON')
      .action(doctor);
  },
};
