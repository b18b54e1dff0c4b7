import { stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { cxrLens, left, resumed } from './cli.ts';
import { EXPERIMENTS } from './index.ts';

const USAGE = `Usage: npm run reproduce -- [options] [experiment...]

Runs the experiments of the paper in order, or the named ones; given again, it goes on where it was.

  --data <file>       ChestX-ray14 prepared at 224 x 224 (default: nih-224.cxr)
  --imagenet <dir>    densenet121.safetensors and resnet50.safetensors, see docs/import.md (default: imagenet)
  --runs <dir>        where the run folders go (default: runs)
  --print             only print the commands

${EXPERIMENTS.map(({ name, row }) => `  ${name.padEnd(20)}${row}`).join('\n')}
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string', default: 'nih-224.cxr' },
      imagenet: { type: 'string', default: 'imagenet' },
      runs: { type: 'string', default: 'runs' },
      print: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    stdout.write(USAGE);
    return 0;
  }
  const unknown = positionals.find((name) => !EXPERIMENTS.some((one) => one.name === name));
  if (unknown !== undefined) {
    stderr.write(`"${unknown}" is no experiment; they are ${EXPERIMENTS.map(({ name }) => name).join(', ')}.\n`);
    return 2;
  }
  // Ctrl-C reaches the command that runs, which keeps a checkpoint; this process waits for it.
  process.on('SIGINT', () => {});
  for (const { name, row, commands } of EXPERIMENTS.filter((one) => positionals.length === 0 || positionals.includes(one.name))) {
    stderr.write(`\n${name}: ${row}\n`);
    for (const args of commands(values)) {
      if (values.print) {
        stdout.write(`npx --no cxr-lens ${args.join(' ')}\n`);
        continue;
      }
      if (args[0] === 'import' && left(args, 'imported.json')) continue;
      const code = await cxrLens(resumed(args));
      if (code !== 0) return code;
    }
  }
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 2;
});
