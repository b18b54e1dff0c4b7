import { CxrError } from '@cxr-lens/data';

const REASONS: Record<string, string> = {
  ENOENT: 'it does not exist',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'it is a file, not a folder',
  EACCES: 'it may not be read',
};

/** Runs `read` and turns what the file system says into one sentence with the option's name. */
export async function reading<T>(option: string, path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CxrError) throw error;
    const code = (error as { code?: string }).code ?? '';
    const reason = REASONS[code];
    if (!reason) throw error;
    throw new CxrError(code === 'ENOENT' ? 'NOT_FOUND' : 'BAD_INPUT', `${option} ${path}: ${reason}. Check the path.`, { cause: error });
  }
}
