import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { CxrError, cxrHome } from '@cxr-lens/data';
import type { CommandModule } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { printResult } from '../output.ts';

/** A disk with less than this holds no data set beside what is there. */
const ROOM_GIB = 2;

interface Finding {
  part: 'machine' | 'engine' | 'database' | 'storage';
  ok: boolean;
  says: string;
}

async function doctor(options: { json?: true }): Promise<void> {
  const findings = [machine(), await guarded('engine', engine), await guarded('database', database), await guarded('storage', storage)];
  const ok = findings.every((finding) => finding.ok);
  if (!ok) process.exitCode = EXIT.partly.code;
  const lines = findings.map((finding) => `${finding.ok ? 'ok     ' : 'PROBLEM'}  ${finding.part.padEnd(9)} ${finding.says}`);
  printResult(options, { ok, findings }, lines.join('\n'));
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
    program.option('--json', 'print the same as JSON').action(doctor);
  },
};
