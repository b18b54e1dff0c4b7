import koffi from 'koffi';
import { CxrError } from '../error.ts';

const libc = koffi.load(null);
const mmap = libc.func('void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)');
const munmap = libc.func('int munmap(void *address, size_t length)');

const PROT_READ_WRITE = 1 | 2;
const MAP_PRIVATE = 2;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** A file's bytes without reading them: the system loads a page when it is looked at. */
export interface MappedFile {
  bytes: Uint8Array;
  /** Unmaps; every view of `bytes` becomes empty instead of pointing at freed memory. */
  unmap(): void;
}

/** Maps a file that is open for reading. Private: what a caller writes into the bytes stays in this process. */
export function mapFile(fd: number, length: number, where: string): MappedFile {
  const address: bigint = mmap(null, length, PROT_READ_WRITE, MAP_PRIVATE, fd, 0);
  if (address === null || BigInt(koffi.address(address)) === MAP_FAILED) {
    throw new CxrError(
      'UNAVAILABLE',
      `${where} (${length} bytes) cannot be mapped into memory: the system refused. Raise "ulimit -v", or move it to a local disk.`,
    );
  }
  const buffer = koffi.view(address, length);
  return {
    bytes: new Uint8Array(buffer),
    unmap() {
      if (buffer.detached) return;
      buffer.transfer(0);
      munmap(address, length);
    },
  };
}
