import { ApiError } from '../../lib/request.ts';

interface UploadedImage {
  id: string;
  fileName: string | null;
}

interface UploadedStudy {
  id: string;
  studyInstanceUid: string;
  images: UploadedImage[];
}

export interface UploadAnswer {
  studies: UploadedStudy[];
  rejected: { fileName: string | null; code: string; message: string }[];
}

/**
 * Sends pictures (PNG, JPEG, DICOM) as one form; `onProgress` gets the share sent, 0 to 1.
 * ApiError when nothing of it was taken; a partly taken upload lists what was refused and why.
 */
export function sendFiles(files: readonly File[], onProgress: (share: number) => void, signal: AbortSignal): Promise<UploadAnswer> {
  const form = new FormData();
  for (const file of files) form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    // fetch cannot say how much of an upload has gone.
    const call = new XMLHttpRequest();
    call.open('POST', '/studies');
    call.setRequestHeader('accept', 'application/json');
    call.responseType = 'text';
    call.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    call.onerror = () => reject(new ApiError('UNAVAILABLE', 'The upload did not reach the server.'));
    call.onabort = () => reject(new ApiError('CANCELLED', 'The upload was cancelled.'));
    call.onload = () => {
      try {
        resolve(readAnswer(call.status, call.responseText));
      } catch (error) {
        reject(error);
      }
    };
    signal.addEventListener('abort', () => call.abort());
    call.send(form);
  });
}

/** The answer to an upload; ApiError with the server's own code and words where it sent any. */
export function readAnswer(status: number, text: string): UploadAnswer {
  const body = parse(text) as Partial<UploadAnswer> & { code?: string; message?: string; error?: { code?: string; message?: string } };
  if (Array.isArray(body.studies) && Array.isArray(body.rejected)) return { studies: body.studies, rejected: body.rejected };
  const { code, message } = body.error ?? body;
  throw new ApiError(
    code ?? (status === 413 ? 'TOO_LARGE' : status >= 500 ? 'UNAVAILABLE' : 'BAD_INPUT'),
    message ?? `The upload was answered with HTTP ${status}.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
