import { readFileSync } from 'node:fs';
import { Client, freePort } from './client.ts';
import { Home } from './home.ts';

const OPEN_MS = 300_000;
const READY_MS = 1_200_000;

/** A small demo that trials share, with its client. */
export interface Demo {
  home: Home;
  client: Client;
  /** Starts it again after its end; returns when its pages are open. */
  start(): Promise<void>;
  /** Waits until its four runs are measured. */
  ready(): Promise<void>;
}

let shared: Promise<Demo> | null = null;

/** The demo of `--size small`, started once and kept until `closeDemo`; its pages are open. */
export function openDemo(signal: AbortSignal): Promise<Demo> {
  shared ??= startDemo(signal);
  return shared;
}

export async function closeDemo(): Promise<void> {
  await (await shared?.catch(() => null))?.home.remove();
  shared = null;
}

async function startDemo(signal: AbortSignal): Promise<Demo> {
  const home = new Home();
  const port = await freePort();
  const client = new Client(port);
  /** What it has said since its last start. */
  let from = 0;
  const said = (text: string): boolean => readFileSync(home.log, 'utf8').slice(from).includes(text);
  const saw = async (text: string, ms: number): Promise<void> => {
    if ((await client.until(async () => said(text), ms, signal)) !== null) return;
    throw new Error(`the demo has not said "${text}" in ${ms / 1000} s:\n${readFileSync(home.log, 'utf8').slice(-3000)}`);
  };
  const start = async (): Promise<void> => {
    if (from > 0) from = readFileSync(home.log, 'utf8').length;
    home.start(['demo', '--size', 'small', '--port', String(port)]);
    from ||= 1;
    await saw('CXR Lens is open', OPEN_MS);
  };
  try {
    await start();
  } catch (error) {
    await home.remove();
    throw error;
  }
  return { home, client, start, ready: () => saw('CXR Lens is ready', READY_MS) };
}
