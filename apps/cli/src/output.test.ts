import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('a command that npx started stops when npx is killed, though the shell between them lives on', async () => {
  const output = new URL('./output.ts', import.meta.url).href;
  const command = `const { interruptSignal } = await import('${output}'); interruptSignal().addEventListener('abort', () => process.exit(0)); console.log(process.pid); setInterval(() => {}, 1000);`;
  // As npx: a shell of its own, which runs the command.
  const npx = `require('node:child_process').spawn('sh', ['-c', '"$NODE" --input-type=module -e "$COMMAND"; true'], { stdio: 'inherit' }); setInterval(() => {}, 1000);`;
  const env = { ...process.env, npm_command: 'exec', NODE: process.execPath, COMMAND: command };
  const started = spawn(process.execPath, ['-e', npx], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = Number(await new Promise<Buffer>((resolve) => started.stdout.once('data', resolve)));
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect(lives(pid)).toBe(true);
  started.kill('SIGKILL');
  await expect.poll(() => lives(pid), { timeout: 10_000 }).toBe(false);
});
