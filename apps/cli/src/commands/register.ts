import path from 'node:path';
import type { CommandModule } from '../command.ts';
import { printResult, stderrProgress } from '../output.ts';

async function register(runs: string[], options: { data?: string[]; json?: true }): Promise<void> {
  const { createPrisma, ensureDatabase, registerDataSet, registerRun } = await import('@cxr-lens/prisma');
  const prisma = createPrisma(await ensureDatabase({ onProgress: stderrProgress() }));
  try {
    const lines: string[] = [];
    const registered = { dataSets: [] as { id: string; name: string }[], runs: [] as { id: string; state: string }[] };
    for (const file of options.data ?? []) {
      const { id, name, testImages } = await registerDataSet(prisma, file);
      registered.dataSets.push({ id, name });
      lines.push(`Data set ${name} (${id}), ${testImages} test images`);
    }
    for (const folder of runs) {
      const { id, state } = await registerRun(prisma, path.resolve(folder));
      const evaluations = await prisma.evaluation.count({ where: { runId: id } });
      registered.runs.push({ id, state });
      lines.push(`Run ${id}, ${state.toLowerCase()}, ${evaluations} ${evaluations === 1 ? 'evaluation' : 'evaluations'}`);
    }
    printResult(options, registered, lines.join('\n') || 'Nothing to register: name run folders, or prepared files with --data.');
  } finally {
    await prisma.$disconnect();
  }
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('[run...]', 'run folders; their rows are rebuilt from their files')
      .option('--data <file...>', 'prepared files, so that jobs and the dashboard can use them')
      .option('--json', 'print what was registered as JSON')
      .action(register);
  },
};
