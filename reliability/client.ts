import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeGreyPng, random } from '@cxr-lens/data';
import { type Home, peakMemory } from './home.ts';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

let drawn = 0;

/** A PNG of noise, another one each time. */
async function picture(size = 96): Promise<Buffer> {
  const { int } = random(`${process.pid}/${Date.now()}/${drawn++}`);
  const pixels = Uint8Array.from({ length: size * size }, () => int(256));
  return Buffer.from(await encodeGreyPng({ width: size, height: size, pixels }));
}

/** A client of one API, and what it was told is stored. */
export class Client {
  /** SHA-256 of every acknowledged image by its id. */
  readonly acknowledged = new Map<string, string>();
  readonly studies: string[] = [];
  readonly url: string;

  constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
  }

  async ask<T>(query: string, variables: object = {}): Promise<T> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(30_000),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] };
    if (errors) throw new Error(errors[0]!.message);
    return data;
  }

  /** Uploads a new picture; the status, 0 where no answer came. */
  async upload(size = 96): Promise<number> {
    const bytes = await picture(size);
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(bytes)]), `${sha256(bytes).slice(0, 16)}.png`);
    try {
      const response = await fetch(`${this.url}/studies`, { method: 'POST', body: form, signal: AbortSignal.timeout(60_000) });
      const { studies } = (await response.json()) as { studies?: { id: string; images: { id: string }[] }[] };
      for (const { id, images } of response.ok ? (studies ?? []) : []) {
        this.studies.push(id);
        for (const image of images) this.acknowledged.set(image.id, sha256(bytes));
      }
      return response.status;
    } catch {
      return 0;
    }
  }

  /** Pictures from `clients` at once until `stop` aborts. */
  async uploadUntil(stop: AbortSignal, { clients, pauseMs }: { clients: number; pauseMs: number }): Promise<void> {
    const one = async (): Promise<void> => {
      while (!stop.aborted) {
        await this.upload();
        await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: clients }, one));
  }

  async answers(at = '/healthz'): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}${at}`, { signal: AbortSignal.timeout(2000) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }

  /** Waits until `holds`; the seconds it took, null after `ms`. */
  async until(holds: () => Promise<boolean>, ms: number, signal: AbortSignal): Promise<number | null> {
    for (const begun = Date.now(); Date.now() - begun < ms; await sleep(200)) {
      signal.throwIfAborted();
      if (await holds().catch(() => false)) return (Date.now() - begun) / 1000;
    }
    return null;
  }
}

/** Acknowledged images whose bytes are not whole in the object store below `home`. */
export function lostBytes(home: string, acknowledged: Iterable<string>): number {
  const isWhole = (key: string): boolean => {
    const file = path.join(home, 'objects', key.slice(0, 2), key);
    return existsSync(file) && sha256(readFileSync(file)) === key;
  };
  return [...acknowledged].filter((key) => !isWhole(key)).length;
}

/** Asks how the API is ten times a second. */
export function watch(home: Home, client: Client): { stop(): Promise<{ deafSeconds: number; peakMb: number }> } {
  const stop = new AbortController();
  let [deaf, peakMb, answered] = [0, 0, Date.now()];
  const measure = (): void => {
    peakMb = Math.max(peakMb, peakMemory(home.roles().get('api')));
  };
  const timer = setInterval(measure, 2000);
  const look = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const isWell = await client.answers();
      deaf = Math.max(deaf, Date.now() - answered);
      if (isWell) answered = Date.now();
      await sleep(100);
    }
  };
  const ended = look();
  return {
    async stop() {
      stop.abort();
      clearInterval(timer);
      measure();
      await ended;
      return { deafSeconds: deaf / 1000, peakMb };
    },
  };
}
