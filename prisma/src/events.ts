/** A job or run that changed; `resync` after a lost connection: anything may have changed meanwhile. */
export type CxrEvent = { type: 'job' | 'run'; id: string } | { type: 'resync' };

/** Changes of jobs and runs from the moment the first `next()` resolves, over one connection that reconnects; ends with `signal`. */
export async function* subscribeEvents(_url: string, _options: { signal: AbortSignal }): AsyncGenerator<CxrEvent, void, undefined> {
  yield { type: 'resync' };
}
