'use client';

import { useQueryClient } from '@tanstack/react-query';
import { Upload } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react';
import { Button } from '../../components/controls.tsx';
import { ProgressBar } from '../../components/marks.tsx';
import { InlineError } from '../../components/states.tsx';
import { plural } from '../../lib/format.ts';
import { remedy } from '../../lib/request.ts';
import { sendFiles, type UploadAnswer } from './send.ts';

const ACCEPT = 'image/png,image/jpeg,application/dicom,.png,.jpg,.jpeg,.dcm,.dicom';

const Choose = createContext<() => void>(() => {});

type State = { kind: 'idle' } | { kind: 'sending'; files: number; share: number } | Ended;

interface Ended {
  kind: 'ended';
  rejected: UploadAnswer['rejected'];
  error?: unknown;
}

const NOTHING_REFUSED: Ended = { kind: 'ended', rejected: [] };

/** Takes pictures dropped anywhere on the page, sends them, and opens their study. */
export function UploadArea({ children }: { children: ReactNode }) {
  const router = useRouter();
  const queries = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const abort = useRef<AbortController | null>(null);
  const [over, setOver] = useState(false);
  const [state, setState] = useState<State>({ kind: 'idle' });

  const sendNow = useCallback(
    async (files: File[], before: Ended): Promise<Ended> => {
      const sending = { kind: 'sending', files: files.length } as const;
      abort.current = new AbortController();
      setState({ ...sending, share: 0 });
      try {
        const answer = await sendFiles(files, (share) => setState({ ...sending, share }), abort.current.signal);
        void queries.invalidateQueries({ queryKey: ['studies'] });
        const [study] = answer.studies;
        if (study) router.push(answer.studies.length === 1 ? `/studies/${encodeURIComponent(study.id)}` : '/studies');
        return { ...before, rejected: [...before.rejected, ...answer.rejected] };
      } catch (error) {
        return { ...before, error };
      }
    },
    [queries, router],
  );
  // What is dropped while something is being sent goes after it, and all that was refused is told at the end.
  const line = useRef<{ open: number; last: Promise<Ended> }>({ open: 0, last: Promise.resolve(NOTHING_REFUSED) });
  const send = useCallback(
    async (files: File[]): Promise<void> => {
      if (files.length === 0) return;
      const { current } = line;
      const before = current.open === 0 ? Promise.resolve(NOTHING_REFUSED) : current.last;
      current.open += 1;
      current.last = before.then((ended) => sendNow(files, ended));
      const ended = await current.last;
      current.open -= 1;
      if (current.open === 0) setState(ended.rejected.length > 0 || ended.error ? ended : { kind: 'idle' });
    },
    [sendNow],
  );
  useDrop(setOver, send);

  return (
    <Choose value={() => input.current?.click()}>
      {children}
      <input
        ref={input}
        type="file"
        multiple
        accept={ACCEPT}
        className="hidden"
        tabIndex={-1}
        aria-label="Pictures to upload"
        onChange={(event) => {
          void send([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      {over && (
        <div className="pointer-events-none fixed inset-0 z-50 grid place-items-center bg-paper/90">
          <p className="border border-dashed border-edge px-8 py-6 text-title">Drop PNG, JPEG or DICOM files to explain them</p>
        </div>
      )}
      <Status state={state} cancel={() => abort.current?.abort()} close={() => setState({ kind: 'idle' })} />
    </Choose>
  );
}

/** Opens the file chooser: the same as a drop, for the keyboard. */
export function UploadButton({ look = 'plain', children = 'Upload' }: { look?: 'plain' | 'primary'; children?: string }) {
  const choose = use(Choose);
  return (
    <Button look={look} onClick={choose}>
      <Upload aria-hidden className="size-4" />
      {children}
    </Button>
  );
}

function useDrop(setOver: (over: boolean) => void, send: (files: File[]) => Promise<void>): void {
  useEffect(() => {
    const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    const drag = (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(false);
      void send([...(event.dataTransfer?.files ?? [])]);
    };
    window.addEventListener('dragover', drag);
    window.addEventListener('dragleave', leave);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragover', drag);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('drop', drop);
    };
  }, [setOver, send]);
}

function Status({ state, cancel, close }: { state: State; cancel: () => void; close: () => void }) {
  if (state.kind === 'idle') return null;
  const panel = 'fixed right-4 bottom-4 z-40 flex w-[calc(100vw-32px)] max-w-md flex-col items-start gap-3 border border-edge bg-paper p-4';
  if (state.kind === 'sending') {
    return (
      <div className={panel} role="status">
        <p>Sending {plural(state.files, 'file')}</p>
        <ProgressBar label="Upload" done={Math.round(state.share * 100)} total={100} />
        <Button onClick={cancel}>Cancel</Button>
      </div>
    );
  }
  return (
    <div className={panel}>
      <InlineError error={state.error} />
      {state.rejected.length > 0 && (
        <div role="alert" className="flex max-h-64 w-full flex-col gap-2 overflow-y-auto">
          <p>{plural(state.rejected.length, 'file was', 'files were')} not taken.</p>
          {state.rejected.map(({ fileName, code, message }, index) => (
            <p key={`${fileName}-${String(index)}`}>
              <strong className="font-semibold">{fileName ?? 'Unnamed file'}</strong>: {message}{' '}
              <span className="text-muted">{remedy(code)}</span> <span className="font-mono text-small text-muted">{code}</span>
            </p>
          ))}
        </div>
      )}
      <Button onClick={close}>Close</Button>
    </div>
  );
}
