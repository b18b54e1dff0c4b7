import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { auc, meanAuc } from '../auc/auc.ts';
import { localizationControls } from '../localization/controls.ts';
import { localization, pairIous } from '../localization/localization.ts';
import type { LocalizationPair } from '../localization/types.ts';
import { boxCase, iouTable, noiseMap, scoreCase, uniform } from '../testing.ts';
import { renderReport } from './report.ts';
import { spreadLabels } from './svg.ts';
import type { ReportInput, ReportRun } from './types.ts';

const COUNTS = [40, 30, 24, 16, 12, 6, 1, 0];

function pairs(lift: number): LocalizationPair[] {
  return BOXED_FINDINGS.flatMap((finding, j) =>
    Array.from({ length: COUNTS[j]! }, (_, i) => {
      const box = boxCase(100 * j + i);
      const image = `${String(i).padStart(8, '0')}_000.png`;
      const map = noiseMap(j * 100 + i, { size: 14, box, lift: uniform(9, i) < 0.8 ? lift : 0 });
      return { image, patientId: String(i), finding, box, map, height: 14, width: 14 };
    }),
  );
}

function run(label: string, method: string, lift: number): ReportRun {
  const rows = Object.fromEntries(
    FINDINGS.map((finding, j) => {
      const { scores, labels } = scoreCase({ seed: j + Math.round(lift * 8), n: 300, levels: 0, prevalence: j === 13 ? 0 : 0.2 });
      return [finding, auc(scores, labels)];
    }),
  );
  return {
    label,
    method,
    auc: rows,
    meanAuc: meanAuc(Object.values(rows)),
    localization: localization(pairs(lift), { seed: 0, resamples: 200 }),
    ious: iouTable(pairs(lift).map(pairIous)),
  };
}

const input: ReportInput = {
  title: 'Baseline and Robust',
  dataSet: { name: 'phantom-2000', synthetic: true, images: 300, datasetHash: 'abc' },
  runs: [run('Baseline', 'baseline', 0.25), run('Robust <2>', 'robust', 1)],
  controls: localizationControls(pairs(0), { seed: 0, resamples: 0 }),
  commands: ['npx cxr-lens evaluate runs/baseline runs/robust --data phantom.cxr'],
  details: { 'code version': '1234567' },
};

describe('renderReport', () => {
  const { markdown, figures } = renderReport(input);

  it('says that phantoms were measured, the protocol, and how to repeat it', () => {
    expect(markdown).toContain('**Measured on phantoms**');
    expect(markdown).toContain('Protocol paper: CAM brought to 224 x 224');
    expect(markdown).toContain('npx cxr-lens evaluate');
    expect(markdown).toContain('- code version: 1234567');
    const real = renderReport({ ...input, dataSet: { ...input.dataSet, synthetic: false } });
    expect(real.markdown + Object.values(real.figures).join('')).not.toContain('phantoms');
  });

  it('has a sentence and a table for each pathology', () => {
    for (const j of BOXED_FINDINGS.keys()) expect(markdown).toContain(`### ${BOXED_FINDINGS[j]}, ${COUNTS[j]} pairs`);
    expect(markdown).toMatch(
      /Robust <2> is higher than Baseline by 0\.\d\d \(0\.\d\d to 0\.\d\d\) for Cardiomegaly, mean over T \(adjusted p [<=] 0\.\d+\)\. The paper's finding, "higher", holds in this data\./,
    );
    expect(markdown).toContain('No difference detected between Robust <2> and Baseline for Nodule: 6 pairs. The paper');
    expect(markdown).toMatch(/Robust <2> over Baseline: Atelectasis, .*\. Lower: none\. No difference detected: \d\./);
    expect(markdown).toContain('| Hernia | 0 | no positive image | no positive image |');
  });

  it('gives the same verdicts by any seed and resamples of the evaluation, and beside any other run', () => {
    const said = (report: { markdown: string }) => /### Robust <2> over Baseline[\s\S]*?\n\n(?=#|A pair)/.exec(report.markdown)![0];
    const seeded = input.runs.map((one, index) => ({ ...one, localization: localization(pairs(index), { seed: 5, resamples: 0 }) }));
    const expected = said({ markdown });
    expect(said(renderReport({ ...input, runs: seeded, controls: null, resamples: 0 }))).toBe(expected);
    expect(said(renderReport({ ...input, runs: [...input.runs, run('NIH*', 'nih-star', 0)] }))).toBe(expected);
    expect(said(renderReport({ ...input, runs: [...input.runs, run('CheXNet', 'chexnet', 0.5)] }))).toBe(expected);
  });

  it('shows published numbers only beside results of the same split', () => {
    expect(markdown).not.toContain('Wang');
    const official = renderReport({ ...input, dataSet: { name: 'NIH', synthetic: false, images: 25_596 } }).markdown;
    expect(official).toContain('supplement, table 17');
    expect(official).not.toContain('table 7:');
  });

  it('draws published curves dashed only under their protocol, and names it', () => {
    const rename = <T extends { protocol: { name: string } }>(result: T): T => ({
      ...result,
      protocol: { name: 'nih', description: 'levels' },
    });
    const runs = input.runs.map((one) => ({ ...one, localization: rename(one.localization!) }));
    const nih = renderReport({ ...input, runs, controls: null, resamples: 0 });
    expect(nih.figures['localization.svg']).toContain('stroke-dasharray');
    expect(nih.figures['localization.svg']).toContain('Wang et al. 2017, nih');
    expect(nih.markdown).toContain('table 7');
    expect(figures['localization.svg']).not.toContain('stroke-dasharray');
  });

  it('draws well-formed figures with every label, text escaped', () => {
    expect(Object.keys(figures).sort()).toEqual(['auc.svg', 'localization.svg']);
    for (const svg of Object.values(figures)) {
      expect(svg).toContain('Robust &lt;2&gt;');
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      const opened = svg.match(/<(?!\/)[a-z]+/g)!.length;
      expect(svg.match(/<\/[a-z]+>|\/>/g)!.length).toBe(opened);
    }
    expect(figures['localization.svg']!.match(/best reachable/g)).toHaveLength(6); // one pathology has one pair, one has none
    expect(figures['localization.svg']).toContain('#0072B2');
    expect(figures['localization.svg']).toContain('#D55E00');
  });

  it('refuses curves of one protocol with two seeds of the folds', () => {
    const other = { ...input.runs[1]!, localization: localization(pairs(1), { seed: 1, resamples: 0 }) };
    expect(() => renderReport({ ...input, runs: [input.runs[0]!, other] })).toThrow('curves of protocol paper, seed 0 and of seed 1');
  });

  it('does without boxes and controls', () => {
    const plain = renderReport({ ...input, controls: null, runs: input.runs.map((one) => ({ ...one, localization: null })) });
    expect(Object.keys(plain.figures)).toEqual(['auc.svg']);
    expect(plain.markdown).not.toContain('Localisation');
  });
});

describe('spreadLabels', () => {
  it('keeps order, distance and range', () => {
    const placed = spreadLabels([50, 50, 52, 0], { gap: 10, from: 0, to: 60 });
    expect(placed).toEqual([40, 50, 60, 0]);
    expect(spreadLabels([5, 30], { gap: 10, from: 0, to: 60 })).toEqual([5, 30]);
  });
});

describe('a finding of few cases', () => {
  const [own, other] = [
    { positives: 1, negatives: 299 },
    { positives: 295, negatives: 5 },
  ];
  // as 0.1.0 had it: an interval of no width
  const zero = { auc: 1, variance: null, ci: [1, 1] as [number, number], bootstrap: [1, 1] as [number, number] };
  const rare = (change: Partial<ReportRun['auc']>): ReportRun => {
    const base = run('Baseline', 'baseline', 0.25);
    return { ...base, auc: { ...base.auc, ...change }, meanAucInterval: [0.5, 0.6] };
  };
  const runs = [rare({ Mass: { ...zero, ...own }, Edema: { ...zero, ...other } })];
  const { markdown, figures, tables } = renderReport({ ...input, controls: null, runs });

  it('has its value with "few cases" and nowhere an interval, nor has the mean', () => {
    expect(markdown).toContain('| Mass | 1 | 1.000 (few cases) |');
    expect(markdown).toContain('| Edema | 295 | 1.000 (few cases) |');
    expect(markdown).toMatch(/\| mean \|\s+\| 0\.\d{3} \(few cases\) \|/);
    expect(markdown).toContain('such an AUC has no interval, nor has a mean that it is in');
    expect(figures['auc.svg']!.match(/\(few cases\)/g)).toHaveLength(3);
    const rows = tables['auc.csv']!.split('\n');
    const [mass, mean] = ['Mass', 'mean'].map((name) => rows.find((row) => row.includes(`,${name},`))!);
    expect(mass).toMatch(/,Mass,1,,,,,,1,299,few cases$/);
    expect(mean).toMatch(/,mean,0\.\d+,,,,,,,,few cases$/);
  });

  it('says nothing of few cases where there are none', () => {
    const whole = renderReport({ ...input, controls: null, runs: [rare({})] });
    expect(whole.markdown).not.toContain('few cases');
    expect(whole.markdown).toMatch(/\| mean \|\s+\| 0\.\d{3} \(0\.500 to 0\.600\) \|/);
  });
});
