import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHILD_ENV } from '@cxr-lens/data';

const BIN = path.resolve(import.meta.dirname, '../apps/cli/bin/cxr-lens.mjs');

/** What the command line of each process of the product holds. */
const COMMANDS = {
  demo: 'cxr-lens.mjs demo',
  serve: 'cxr-lens.mjs serve',
  'worker command': 'cxr-lens.mjs worker',
  api: 'apps/api/src/main.ts',
  worker: 'apps/worker/src/main.ts',
  dashboard: 'dashboard/server.mjs',
  keeper: 'keeper.ts',
  postgres: '/data -p ',
} as const;

export type Role = keyof typeof COMMANDS;

interface Process {
  pid: number;
  command: string;
}

/** Longer than the demo needs to stop: its worker writes a checkpoint, its database stops seconds later. */
const STOP_MS = 60_000;

/** A CXR_HOME of its own with what runs in it; a command that is not stopped before ends with this process. */
export class Home {
  readonly folder: string;
  /** What its commands print. */
  readonly log: string;
  private readonly root: string;
  private readonly children = new Set<ChildProcess>();

  constructor(folder?: string) {
    this.root = mkdtempSync(path.join(tmpdir(), 'cxr-reliability-'));
    this.folder = folder ?? path.join(this.root, 'home');
    this.log = path.join(this.root, 'commands.log');
  }

  private env(): NodeJS.ProcessEnv {
    const { DATABASE_URL: _, npm_command: __, ...env } = process.env;
    return { ...env, ...CHILD_ENV, CXR_HOME: this.folder, NEXT_TELEMETRY_DISABLED: '1', TF_CPP_MIN_LOG_LEVEL: '2' };
  }

  /** Starts a command of `cxr-lens` that stays. */
  start(args: readonly string[]): ChildProcess {
    const log = openSync(this.log, 'a');
    const child = spawn(process.execPath, [BIN, ...args], { env: this.env(), stdio: ['ignore', log, log, 'ipc'], detached: true });
    closeSync(log);
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    return child;
  }

  /** Runs a command of `cxr-lens` to its end. `container`: with a process table and a network of its own. */
  async run(args: readonly string[], { container = false } = {}): Promise<{ code: number | null; text: string }> {
    const inside = 'ip link set lo up; mount -t proc proc /proc; exec "$0" "$@"';
    const program = container ? 'unshare' : process.execPath;
    const before = container ? ['--pid', '--net', '--ipc', '--mount', '--fork', 'bash', '-c', inside, process.execPath] : [];
    const child = spawn(program, [...before, BIN, ...args], { env: this.env(), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.children.add(child);
    let text = '';
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (text += chunk));
    const code = await new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
    this.children.delete(child);
    return { code, text };
  }

  /** Everything that was started for this home. */
  processes(): Process[] {
    const files = clusterFiles(this.folder);
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name) || name === String(process.pid)) return [];
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const isOurs =
          command.includes(`${files}/data`) ||
          readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(`CXR_HOME=${this.folder}`);
        return isOurs && command !== '' ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
  }

  roles(): Map<Role, number> {
    const found = new Map<Role, number>();
    for (const { pid, command } of this.processes()) {
      for (const [role, text] of Object.entries(COMMANDS) as [Role, string][]) if (command.includes(text)) found.set(role, pid);
    }
    return found;
  }

  /** Waits until nothing of it runs; what still does after `ms`. */
  async ended(ms = STOP_MS): Promise<Process[]> {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(250)) if (this.processes().length === 0) return [];
    return this.processes();
  }

  /** Asks its commands to end; what had to be killed, as nothing may be left behind. */
  async stop(): Promise<Process[]> {
    for (const child of this.children) child.kill('SIGTERM');
    const left = await this.ended();
    for (const { pid } of left) killNow(pid);
    return left;
  }

  /** Stops what runs and removes all. */
  async remove(): Promise<void> {
    const files = clusterFiles(this.folder);
    for (const child of this.children) child.kill('SIGTERM');
    for (const end = Date.now() + STOP_MS; this.children.size > 0 && Date.now() < end; ) await sleep(100);
    // Its database stops as soon as its home is gone.
    rmSync(this.folder, { recursive: true, force: true });
    await this.stop();
    for (const folder of [this.root, files]) rmSync(folder, { recursive: true, force: true });
  }
}

export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Where the files of its embedded database lie; root's lie apart. */
function clusterFiles(home: string): string {
  const pointer = path.join(home, 'postgres/cluster.json');
  if (!existsSync(pointer)) return path.join(home, 'postgres/cluster');
  const { id } = JSON.parse(readFileSync(pointer, 'utf8')) as { id: string };
  return path.join('/var/lib/cxr-lens/clusters', id);
}

/** The most resident memory that a process has had, in MB. */
export function peakMemory(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

export function residentMemory(pid: number | undefined): number {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 2 ** 20;
  } catch {
    return 0;
  }
}
