import type { CommandModule } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptSignal, printResult, stderrProgress } from '../output.ts';

async function backUp(folder: string, options: { json?: true }): Promise<void> {
  const { backup, ensureDatabase } = await import('@cxr-lens/prisma');
  const onProgress = stderrProgress();
  const result = await backup({ url: await ensureDatabase({ onProgress }), folder, onProgress, signal: interruptSignal() });
  const { rows, objects, runs, problems } = result;
  if (problems.length > 0) process.exitCode = EXIT.partly.code;
  const lines = [`${result.folder}: ${rows} rows, ${objects} objects, ${runs} runs`, ...problems.map((problem) => `not in it: ${problem}`)];
  printResult(options, result, lines.join('\n'));
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('<dir>', 'a new folder; one that an interrupted backup left is completed')
      .option('--json', 'one JSON document on stdout')
      .addHelpText(
        'after',
        '\nPrepared data sets are not copied: they can be prepared again. The backup holds patient images: keep it as safe as CXR_HOME.',
      )
      .action(backUp);
  },
};
