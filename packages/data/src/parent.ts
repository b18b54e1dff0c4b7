/** Exit code of a process that may go well the next time: the database is away, the engine died. Whoever started it starts it again. */
export const EXIT_TRY_AGAIN = 75;

/** For the environment of a child that gets a channel to the process that starts it. */
export const CHILD_ENV = { CXR_CHILD: '1' } as const;

/**
 * Calls `stop` once the process that started this one is gone, kill -9 included: the channel between them closes. To be called before
 * anything is awaited; a channel that closed even earlier is noticed too. A process that was started without a channel is left alone.
 */
export function onParentEnd(stop: () => void): void {
  if (process.connected) process.once('disconnect', stop);
  else if (process.env['CXR_CHILD'] === CHILD_ENV.CXR_CHILD) stop();
}
