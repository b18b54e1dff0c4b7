import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { stderr } from 'node:process';
import { CxrError, cxrHome } from '@cxr-lens/data';
import { explodedNote, lossText, METHODS, type Run } from '@cxr-lens/model/spec';
import type { CommandModule } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { printResult } from '../output.ts';

const HEADER = ['run', 'method', 'preset', 'state', 'epochs', 'best', 'val. loss', 'val. AUC', 'data'];

async function list(folder: string | undefined, options: { json?: true }): Promise<void> {
  const root = path.resolve(folder ?? path.join(cxrHome(), 'runs'));
  const { readRun } = await import('@cxr-lens/model/run-folder');
  const folders = namesIn(root, folder !== undefined).filter((name) => existsSync(path.join(root, name, 'run.json')));
  const runs: Run[] = [];
  for (const name of folders) {
    try {
      runs.push(readRun(path.join(root, name)));
    } catch (error) {
      if (!(error instanceof CxrError)) throw error;
      process.exitCode = EXIT.partly.code;
      stderr.write(`${error.code}: ${error.message}\n`);
    }
  }
  const text = runs.length === 0 ? `No runs in ${root}.` : [table([HEADER, ...runs.map(row)]), ...runs.flatMap(warning)].join('\n');
  printResult(options, { folder: root, runs }, text);
}

/** What is in a folder; one that nobody named may be absent. */
function namesIn(root: string, named: boolean): string[] {
  try {
    return readdirSync(root);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !named) return [];
    if (code === 'ENOENT') throw new CxrError('NOT_FOUND', `The folder ${root} does not exist. Check the path.`, { cause });
    if (code === 'ENOTDIR') throw new CxrError('BAD_INPUT', `${root} is a file; expected a folder of run folders.`, { cause });
    throw new CxrError('UNAVAILABLE', `The folder ${root} cannot be read: ${message}.`, { cause });
  }
}

function row(run: Run): string[] {
  const best = run.bestEpoch === null ? undefined : run.epochs[run.bestEpoch - 1];
  return [
    run.id,
    METHODS[run.method].label,
    run.preset,
    run.state,
    String(run.epochs.length),
    String(run.bestEpoch ?? '-'),
    best ? `${lossText(best.validationLoss)}${explodedNote(run) === null ? '' : ' EXPLODED'}` : '-',
    best?.validationAuc?.toFixed(4) ?? '-',
    run.data?.name ?? 'imported',
  ];
}

function warning(run: Run): string[] {
  const exploded = explodedNote(run);
  return exploded === null ? [] : [`${run.id}: ${exploded}`];
}

function table(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const command: CommandModule = {
  configure(program) {
    program
      .argument('[folder]', 'folder of run folders; default: runs below CXR_HOME')
      .option('--json', 'print every run.json')
      .action(list);
  },
};
