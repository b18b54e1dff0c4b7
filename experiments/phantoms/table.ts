import { argv, stdout } from 'node:process';
import { located, readEvaluation } from './measured.ts';

// npx tsx experiments/phantoms/table.ts runs/baseline/evaluation/phantom-96 ...
// One row an evaluation folder and protocol, as docs/paper.md shows every method beside its controls.

const range = (interval: readonly number[] | null): string => interval?.map((value) => value.toFixed(2)).join(' to ') ?? '';

function rows(folder: string): string[] {
  const { auc, localization } = readEvaluation(folder);
  const learned = Object.values(auc.findings).filter(({ bootstrap }) => bootstrap !== null && bootstrap[0] > 0.5).length;
  const head = [auc.runId, auc.images, `${auc.mean.auc?.toFixed(2)} (${auc.mean.reason ?? range(auc.mean.bootstrap)})`, learned];
  return [localization, ...localization.others].map(({ run, controls }, index) => {
    const { centre, random, bestReachable } = controls;
    const values = [run, centre, random, bestReachable].map((curves) => located(curves).toFixed(2));
    return `| ${[...(index === 0 ? head : ['', '', '', '']), run.protocol.name, ...values].join(' | ')} |`;
  });
}

const header = ['run', 'test images', 'mean AUC', 'AUC > 0.5', 'protocol', 'located', 'centre', 'random', 'best reachable'];
stdout.write(`| ${header.join(' | ')} |\n|${'---|'.repeat(header.length)}\n${argv.slice(2).flatMap(rows).join('\n')}\n`);
