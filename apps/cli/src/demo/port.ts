import net from 'node:net';
import { CxrError } from '@cxr-lens/data';

function listen(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const { port: got } = server.address() as net.AddressInfo;
      server.close(() => resolve(got));
    });
  });
}

/** A port of 127.0.0.1 that nobody uses. */
export const freePort = (): Promise<number> => listen(0);

/** CONFLICT when somebody else listens on `port` of 127.0.0.1, UNAVAILABLE when this account may not. */
export async function requirePort(port: number): Promise<void> {
  try {
    await listen(port);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      throw new CxrError('UNAVAILABLE', `Port ${port} of 127.0.0.1 cannot be used: choose one above 1023 with PORT=4100 npm run demo.`, {
        cause,
      });
    }
    throw new CxrError(
      'CONFLICT',
      `Port ${port} of 127.0.0.1 is in use: end what listens there, or choose another with PORT=4100 npm run demo.`,
      {
        cause,
      },
    );
  }
}

/** Waits until `url` answers with 2xx; false when `signal` aborts or `timeoutMs` have passed before. */
export async function answers(url: string, signal: AbortSignal, timeoutMs: number): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  while (Date.now() < end && !signal.aborted) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
      await response.arrayBuffer();
      if (response.ok) return true;
    } catch {
      // not up yet
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return false;
}
