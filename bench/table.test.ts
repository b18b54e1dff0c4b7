import { expect, it } from 'vitest';
import { SECTIONS } from './cases.ts';
import type { Measurement } from './measurement.ts';
import { bestOfEach, caseTable, checked, explanationCost, linesTable, throughput } from './table.ts';

const MIB = 2 ** 20;

function measured(subject: string, imagesPerSecond: number, more: Partial<Measurement> = {}): Measurement {
  const given = { subject, network: 'n', task: 'predict', batch: 8, peakRssBytes: 100 * MIB, runs: 5, outputs: [1, -2] };
  return { ...given, imagesPerSecond, secondsMedian: 8 / imagesPerSecond, ...more };
}

const [CASE] = SECTIONS.train.cases;

it('tells the ratios of our fastest to every peer', () => {
  const text = caseTable(CASE!, [
    measured('CXR Lens float32', 10),
    measured('CXR Lens bf16', 30, { peakRssBytes: 80 * MIB, outputs: [1.02, -2] }),
    measured('PyTorch bf16', 20, { outputs: [1, -2.01] }),
    measured('OpenVINO float32', 40, { peakRssBytes: 160 * MIB, outputs: [1, -2.001] }),
  ]);
  expect(text).toContain('CXR Lens bf16 is 0.75 times as fast as the fastest peer, OpenVINO float32, with 0.50 times its memory.');
  expect(text).toContain('| PyTorch bf16 | 400 | 20.0 | 1.50 | 100 | 0.80 | 5e-3 |');
  expect(text).toContain('| CXR Lens float32 | 800 | 10.0 | | 100 | | expected |');
});

it('gives no ratio of what computes something else', () => {
  const wrong = measured('PyTorch float32', 5, { outputs: [1, -2.01] });
  const text = caseTable(CASE!, [measured('CXR Lens float32', 10), wrong]);
  expect(text).toContain('| PyTorch float32 | 1600 | 5.00 | | 100 | | 5e-3, **disagrees** |');
  expect(text).not.toContain('fastest peer');
});

it.each([
  ['no outputs', []],
  ['fewer', [1]],
  ['what is no number', [1, Number.NaN]],
])('refuses %s', (_, outputs) => {
  expect(checked([measured('CXR Lens float32', 1), measured('PyTorch float32', 1, { outputs })])[1]!.agrees).toBe(false);
});

it('finds the fastest of each side whose outputs agree', () => {
  const wrong = measured('OpenVINO float32', 90, { outputs: [1, -2.01] });
  const [ours, slower, peer] = [measured('CXR Lens float32', 10), measured('CXR Lens bf16', 5), measured('PyTorch bf16', 20)];
  expect(bestOfEach([ours, slower, peer, wrong])).toEqual({ ours, peer });
  expect(bestOfEach([ours, wrong])).toBeNull();
});

it('compares the best batch of each side', () => {
  const [line] = throughput([
    [measured('CXR Lens bf16', 50, { batch: 1 }), measured('OpenVINO bf16', 80, { batch: 1 })],
    [measured('CXR Lens bf16', 60, { batch: 8 }), measured('OpenVINO bf16', 70, { batch: 8 })],
  ]);
  expect(line).toContain('60.0 images/s (CXR Lens bf16, batch 8), the best peer 80.0 images/s (OpenVINO bf16, batch 1): 0.75 times');
});

it('tells what explanations cost beside single ones', () => {
  const found = { cams14: 1.25, saliency14: 7 };
  const all = Object.entries(found).map(([task, besideSingle]) => measured('CXR Lens float32', 1, { task, besideSingle }));
  expect(explanationCost([...all, measured('PyTorch float32', 1, { task: 'saliency14' })])).toEqual([
    'CXR Lens float32: Logits and 14 CAMs take 1.25 of logits alone.',
    'CXR Lens float32: Saliency of 14 findings takes 0.50 of 14 single ones.',
  ]);
});

it('shows the lines of a script, each kind in a table', () => {
  const lines = [{ what: 'AUC', seconds: 1.23456, peakMiB: 200 }, { what: 'maps', seconds: 2, peakMiB: 210 }, { agrees: false }];
  expect(linesTable(lines)).toBe(
    [
      '| what | seconds | peak MiB |',
      '|---|---|---|',
      '| AUC | 1.23 | 200 |',
      '| maps | 2 | 210 |',
      '',
      '| agrees |',
      '|---|',
      '| **no** |',
    ].join('\n'),
  );
});
