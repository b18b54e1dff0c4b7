import { spawn } from 'node:child_process';
import path from 'node:path';
import { environment, root } from './lib/environment.mjs';
import { script } from './lib/run.mjs';
import { setup } from './lib/setup.mjs';

await script(async () => {
  await setup();
  const home = process.env.CXR_HOME ?? path.join(root, '.cxr-lens');
  const child = spawn('node', [path.join(root, 'apps/cli/bin/cxr-lens.mjs'), 'demo', ...process.argv.slice(2)], {
    cwd: root,
    env: environment({ CXR_HOME: home }),
    // The channel tells the demo that this process is gone, kill -9 included.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // Ctrl-C reaches the whole process group; the demo stops its children in order, and this process waits for it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
});
