import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { environment, root } from './lib/environment.mjs';
import { script } from './lib/run.mjs';
import { setup } from './lib/setup.mjs';

/** The shell that npm started this with, and npm: a killed npm leaves both its shell and this process behind, with another parent. */
function starters() {
  const shell = process.ppid;
  try {
    return `${shell} ${readFileSync(`/proc/${shell}/stat`, 'utf8').split(') ')[1].split(' ')[1]}`;
  } catch {
    return 'gone';
  }
}

await script(async () => {
  const startedBy = starters();
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
  const watch = setInterval(() => {
    if (starters() === startedBy) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 500);
  child.once('exit', () => clearInterval(watch));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
});
