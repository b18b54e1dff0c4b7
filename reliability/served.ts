import { Client, freePort } from './client.ts';
import { Home } from './home.ts';

/** `cxr-lens serve` in a home of its own. */
export async function serve(signal: AbortSignal, folder?: string): Promise<{ home: Home; client: Client }> {
  const home = new Home(folder);
  const port = await freePort();
  const client = new Client(port);
  home.start(['serve', '--port', String(port)]);
  try {
    if ((await client.until(() => client.answers(), 60_000, signal)) === null) throw new Error(`serve does not answer; see ${home.log}`);
    return { home, client };
  } catch (error) {
    await home.remove();
    throw error;
  }
}
