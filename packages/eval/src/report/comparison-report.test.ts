import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { compareRuns } from '../compare/compare.ts';
import type { RunResults, Truth } from '../compare/types.ts';
import { iouTable, pairCase, uniform } from '../testing.ts';
import { renderComparison } from './comparison-report.ts';

const N = 200;
const images = Array.from({ length: N }, (_, i) => `${i}.png`);
const cases = FINDINGS.map((_, j) => pairCase({ seed: j, n: N, levels: 0, prevalence: j === 13 ? 0 : 0.3, share: 1 }));
const truth: Truth = {
  images,
  patientIds: images,
  labels: Object.fromEntries(FINDINGS.map((finding, j) => [finding, cases[j]!.labels])),
};

function side(label: string, method: string | null, skill: number): RunResults {
  const pairs = BOXED_FINDINGS.flatMap((finding, j) =>
    Array.from({ length: 30 }, (_, i) => {
      return { image: images[i]!, patientId: String(i), finding, ious: new Float64Array(256).fill(0.6 * uniform(j, i) + skill) };
    }),
  );
  const scores = {
    images,
    scores: Object.fromEntries(FINDINGS.map((finding, j) => [finding, cases[j]!.scoresA.map((s, i) => s + skill * cases[j]!.labels[i]!)])),
  };
  return { label, method, ious: iouTable(pairs), scores };
}

const dataSet = { name: 'phantom', synthetic: true, images: N };
const render = (runs: [RunResults, RunResults][], more: { truth?: Truth | null; missing?: string[] } = {}): string => {
  const { missing = [] } = more;
  const comparisons = runs.map(([a, b]) => compareRuns({ a, b, truth: more.truth === undefined ? truth : more.truth }));
  return renderComparison({ dataSet, comparisons, details: { seed: '0' }, missing });
};

const baseline = side('Baseline', 'baseline', 0);
const robust = side('Robust', 'robust', 0.3);
const variant = side('Robust, epsilon 0.02', null, 0.3);

describe('renderComparison', () => {
  const text = render([
    [robust, baseline],
    [variant, baseline],
  ]);

  it('says of every pathology what differs and whether the paper holds', () => {
    expect(text).toContain('# Compared on phantom, measured on phantoms');
    expect(
      text.match(
        /^\| \w+ \| Robust is higher than Baseline by .*\. The paper's finding, "[a-z, ]+", (holds|does not hold) in this data\./gm,
      ),
    ).toHaveLength(8);
    const second = text.slice(text.indexOf('## Robust, epsilon 0.02 over Baseline'));
    expect(second).toContain('Robust, epsilon 0.02 is higher than Baseline');
    expect(second).not.toContain('The paper');
  });

  it('lists the AUC of every finding, over patients and by DeLong, where the paper claims nothing as well', () => {
    for (const finding of ['Atelectasis', 'Edema', 'Pleural thickening']) {
      const row = new RegExp(
        `\\| ${finding} \\| (?:higher: )?0\\.\\d{3} \\(.*\\), p [<=] 0\\.\\d+ \\| 0\\.\\d{3} \\(.*\\), p [<=] 0\\.\\d+ \\|`,
        'g',
      );
      expect(text.match(row)).toHaveLength(2);
    }
    expect(text).toContain('| Hernia |  | no positive image |');
    const claimed = render([[{ ...robust, method: 'chexnet' }, baseline]]);
    expect(claimed).toContain('| AUC | difference over patients, adjusted p | by DeLong, adjusted p | the paper | in this data |');
    expect(claimed).toMatch(/\| Mass \| .* \| .* \| higher \| holds \|/);
  });

  it('says what could not be compared, how verdicts are reached, and both protocols', () => {
    const pairs = baseline.ious!.pairs.map((pair) => ({ ...pair, ious: pair.ious.subarray(0, 1) }));
    const without = render([[{ ...robust, ious: iouTable(pairs) }, baseline]], { truth: null, missing: ['AUCs are not compared.'] });
    expect(without).not.toContain('DeLong');
    expect(without).toContain('AUCs are not compared.');
    expect(without).toContain('Two protocols: Robust is measured by protocol patches, Baseline by protocol paper.');
    expect(without).toContain('20,000 resamples');
    expect(without).toContain('- resamples: 20000');
  });
});
