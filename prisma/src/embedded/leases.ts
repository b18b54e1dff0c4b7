import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { processStat } from './processes.ts';

const leaseFolder = (home: string): string => path.join(home, 'users');

/** Notes that this process uses the server, until it ends. */
export function takeLease(home: string): void {
  mkdirSync(leaseFolder(home), { recursive: true });
  writeFileSync(path.join(leaseFolder(home), `${process.pid}-${processStat(process.pid)?.startTime}`), '');
}

/** Gives the lease of this process back before it ends. */
export function dropLease(home: string): void {
  rmSync(path.join(leaseFolder(home), `${process.pid}-${processStat(process.pid)?.startTime}`), { force: true });
}

/** How many living processes use the server; notes of dead ones are removed. */
export function countLeases(home: string): number {
  let names: string[];
  try {
    names = readdirSync(leaseFolder(home));
  } catch {
    return 0;
  }
  return names.filter((name) => {
    const [pid, startTime] = name.split('-');
    const alive = processStat(Number(pid))?.startTime === startTime;
    if (!alive) rmSync(path.join(leaseFolder(home), name), { force: true });
    return alive;
  }).length;
}
