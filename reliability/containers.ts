import { spawnSync } from 'node:child_process';
import { freePort, watch } from './client.ts';
import { takeStock } from './rows.ts';
import { serve } from './served.ts';
import { breaks, type Conditions, type Outcome, Skipped } from './trial.ts';

/** A second container is started on the home of the first one, which goes on. */
export async function containers({ signal, say }: Conditions): Promise<Outcome> {
  const begun = Date.now();
  const { status, stderr } = spawnSync('unshare', ['--pid', '--net', '--ipc', '--mount', '--fork', 'mount', '-t', 'proc', 'proc', '/proc']);
  if (status !== 0) throw new Skipped(`unshare: no namespaces here (${stderr?.toString().trim() ?? 'no such program'})`);
  const { home, client } = await serve(signal);
  try {
    for (let i = 0; i < 10; i++) await client.upload();
    const watched = watch(home, client);
    const second = await home.run(['serve', '--port', String(await freePort())], { container: true });
    for (let i = 0; i < 10; i++) await client.upload();
    const { deafSeconds, peakMb } = await watched.stop();
    const isRefused = second.code === 2 && second.text.includes('CONFLICT');
    await home.stop();
    const { lost } = await takeStock(home.folder, client.acknowledged);
    say(`containers: the second ended with ${second.code}`);
    return {
      what: 'a second container on the same CXR_HOME',
      rounds: 1,
      acknowledged: client.acknowledged.size,
      lost,
      deafSeconds,
      peakMb,
      seconds: (Date.now() - begun) / 1000,
      notes: [isRefused ? 'the second is refused' : 'the second is not refused'],
      broken: [
        ...breaks(!isRefused, `the second container ended with ${second.code}: ${second.text.slice(-300)}`),
        ...breaks(lost > 0 || client.acknowledged.size < 20, `the first lost ${lost} and acknowledged ${client.acknowledged.size} of 20`),
      ],
    };
  } finally {
    await home.remove();
  }
}
