import type { CommandModule } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptSignal, printResult, stderrProgress } from '../output.ts';

async function restoreFrom(folder: string, options: { json?: true }): Promise<void> {
  const { ensureDatabase, restore } = await import('@cxr-lens/prisma');
  const onProgress = stderrProgress();
  const result = await restore({ url: await ensureDatabase({ onProgress }), folder, onProgress, signal: interruptSignal() });
  const { rows, objects, runs, jobs, problems } = result;
  if (problems.length > 0) process.exitCode = EXIT.partly.code;
  const lines = [`Restored ${rows} rows, ${objects} objects, ${runs} runs; ${jobs} jobs are in the queue again`, ...problems];
  printResult(options, result, lines.join('\n'));
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('<dir>', 'a folder that "cxr-lens backup" wrote, or one of CXR_HOME/backups (the database before a migration)')
      .option('--json', 'one JSON document on stdout')
      .action(restoreFrom);
  },
};
