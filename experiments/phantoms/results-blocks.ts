import { BOXED_FINDINGS, FINDINGS, type Finding, findingLabel } from '@cxr-lens/data';
import { type MeasuredValue, type Results, type RunResult, TABLE_T } from './results-file.ts';

interface Block {
  /** Of the file, from the root. */
  file: string;
  name: string;
  text: string;
}

/** What stands between markers in the documents, as docs/results/demo.json has it. */
export function resultsBlocks(results: Results): Block[] {
  return [
    {
      file: 'README.md',
      name: 'demo',
      text: [origin(results), aucTable(results), locatedTable(results), ...results.comparisons.map(words)].join('\n\n'),
    },
    { file: 'docs/paper.md', name: 'demo rows', text: methodTable(results) },
  ];
}

function origin({ code, machine, runs, data, seed }: Results): string {
  const { train, validation, test } = data.images;
  const seeds = [...new Set(runs.map((run) => run.seed))].join(', ');
  const ends = runs.map(
    ({ label, epochs, end, precision }) => `${label} ${epochs} epochs, by ${end === 'cap' ? 'its cap' : 'the stop rule'}, ${precision}`,
  );
  return [
    `One seed (${seeds}; evaluation ${seed}), one CPU (${machine}), code ${code}.`,
    `${train} phantoms to train on, ${validation} to validate, ${test} to test. ${ends.join('; ')}. A cap ends a training that might have got better.`,
  ].join('\n');
}

const fixed = (value: number): string => value.toFixed(2).replace(/^-0\.00$/, '0.00');

/** "0.70 (0.63 to 0.77)"; "0.70 (few cases)" where there is no interval. */
function cell(measured: MeasuredValue | undefined): string {
  if (!measured || measured.value === null) return measured?.reason ?? '–';
  const { value, interval, reason } = measured;
  const beside = interval ? interval.map(fixed).join(' to ') : reason;
  return beside ? `${fixed(value)} (${beside})` : fixed(value);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((row) => (row[0] === '---' ? `|${row.join('|')}|` : `| ${row.join(' | ')} |`))
    .join('\n');
}

function aucTable({ runs }: Results): string {
  const row = (finding: Finding): string[] => [findingLabel(finding), ...runs.map(({ auc }) => cell(auc[finding]))];
  return table(
    ['AUC', ...runs.map(({ label }) => label)],
    [
      ...FINDINGS.map(row),
      ['**mean**', ...runs.map(({ meanAuc }) => cell(meanAuc))],
      ['lower bound over 0.5', ...runs.map(({ learned, auc }) => `${learned} of ${Object.keys(auc).length}`)],
    ],
  );
}

function locatedTable({ runs, controls }: Results): string {
  const plain = (value: number | null | undefined): string => (value == null ? '–' : fixed(value));
  return table(
    [`located at T ${TABLE_T}`, ...runs.map(({ label }) => label), 'centre prior', 'random'],
    BOXED_FINDINGS.map((finding) => [
      findingLabel(finding),
      ...runs.map(({ located }) => cell(located[finding])),
      plain(controls.centre[finding]),
      plain(controls.random[finding]),
    ]),
  );
}

type Comparison = Results['comparisons'][number];

/** "Robust and Baseline, ...: higher for Cardiomegaly by 0.17 (0.13 to 0.21); no difference detected for the other seven." */
function words({ a, b, findings }: Comparison): string {
  const found = (verdict: 'higher' | 'lower'): string[] => {
    const said = findings
      .filter((one) => one.verdict === verdict)
      .map(({ finding, difference, interval }) => `${findingLabel(finding)}${size(difference, interval)}`);
    return said.length === 0 ? [] : [`${verdict} for ${said.join(', ')}`];
  };
  const none = findings.filter(({ verdict }) => verdict === 'no difference detected').length;
  const rest =
    none === 0
      ? []
      : [none === findings.length ? 'no difference detected for any of them' : `no difference detected for the other ${none}`];
  return `${a} against ${b}, localisation accuracy, mean over T(IoU): ${[...found('higher'), ...found('lower'), ...rest].join('; ')}.`;
}

function size(difference: number | null, interval: readonly [number, number] | null): string {
  if (difference === null || !interval) return '';
  const [low, high] = difference > 0 ? interval : ([-interval[1], -interval[0]] as const);
  return ` by ${fixed(Math.abs(difference))} (${fixed(low)} to ${fixed(high)})`;
}

function methodTable({ runs, data }: Results): string {
  const row = ({ label, meanAuc, learned, locatedMean }: RunResult): string[] => {
    const { run, centre, random, bestReachable } = locatedMean;
    return [label, String(data.images.test), cell(meanAuc), String(learned), 'paper', ...[run, centre, random, bestReachable].map(fixed)];
  };
  return table(
    ['method, `npm run demo`', 'test images', 'mean AUC', 'AUC > 0.5', 'protocol', 'located', 'centre', 'random', 'best reachable'],
    runs.map(row),
  );
}
