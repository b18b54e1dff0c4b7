import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';

const PATIENCE_MS = 120_000;

/** A lock between the processes of this machine; the kernel releases it when its holder dies, whatever it dies of. */
export interface Lock {
  release(): void;
}

/** Takes the lock, or returns null while another process has it. */
export function tryLock(name: string): Promise<Lock | null> {
  const waiting = new Set<Socket>();
  const server: Server = createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => undefined).on('close', () => waiting.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen(address(name), () => {
      server.unref();
      resolve({
        release() {
          server.close();
          for (const socket of waiting) socket.destroy();
        },
      });
    });
  });
}

/** Does `work` while no other process does anything under the same name. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const lock = await tryLock(name);
    if (lock) {
      try {
        return await work();
      } finally {
        lock.release();
      }
    }
    if (Date.now() > deadline) throw new Error(`another process has been busy with it for ${PATIENCE_MS / 1000} seconds`);
    await released(name);
  }
}

/** Whether some process holds the lock. */
export async function isLocked(name: string): Promise<boolean> {
  const lock = await tryLock(name);
  lock?.release();
  return lock === null;
}

/** An abstract Unix socket: bound by one process at a time, gone with it, and no file that could be left behind. 108 bytes at most. */
function address(name: string): string {
  return `\0cxr-lens/${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

function released(name: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(address(name));
    const timer = setTimeout(() => socket.destroy(), 5000);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
