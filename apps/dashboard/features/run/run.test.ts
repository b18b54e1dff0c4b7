import { describe, expect, it } from 'vitest';
import { jsonParts } from './json-parts.ts';
import { parseEpsilons, parseSettings, settingsText } from './settings.ts';
import {
  aucAxis,
  aucSeries,
  endNote,
  epochAxis,
  epochSheet,
  lossAxis,
  lossSeries,
  overfittingNote,
  readEpoch,
  withoutEpochs,
} from './training.ts';

const method = { name: 'ROBUST', label: 'Robust', description: '', note: null } as const;
const epoch = (number: number, perturbed: number | null, auc: number | null = 0.7) => ({
  epoch: number,
  trainLoss: 1 / number,
  validationLoss: 1.2 / number,
  perturbedValidationLoss: perturbed,
  probe: perturbed === null ? null : { clean: 1, own: 1.1, strong: 1 + number / 4, overfitted: number > 1 },
  validationAuc: auc,
  seconds: 2,
  best: number === 2,
});

describe('settings', () => {
  it('are read line by line, numbers as numbers', () => {
    expect(parseSettings('maxEpochs=10\n\n attackBatchNorm = inference ')).toEqual({ maxEpochs: 10, attackBatchNorm: 'inference' });
  });

  it.each(['maxEpochs', '=3', 'maxEpochs='])('refuse %j', (line) => {
    expect(() => parseSettings(line)).toThrow(/expected name=value/);
  });
});

describe('a published recipe', () => {
  it('is read as a list', () => {
    expect(settingsText({ optimiser: 'adam', learningRate: 0.001 })).toBe('optimiser adam, learningRate 0.001');
    expect(settingsText(null)).toBe('');
  });
});

describe('epsilons', () => {
  it('are read between commas or blanks', () => {
    expect(parseEpsilons(' 0, 0.005,1e-2\n0.02 ')).toEqual([0, 0.005, 0.01, 0.02]);
    expect(parseEpsilons(' ')).toEqual([]);
  });

  it('are numbers', () => {
    expect(() => parseEpsilons('0, small')).toThrow('"small" is no number: expected epsilons like 0, 0.005, 0.01.');
  });
});

describe('training curves', () => {
  it('that are not there say why', () => {
    expect(withoutEpochs({ state: 'TRAINING', imported: null })).toMatch(/^The first epoch is under way/);
    const imported = { network: 'densenet121', sourceSha256: 'a'.repeat(64), trainedHere: false };
    const elsewhere = 'Imported weights (densenet121), no epochs: trained elsewhere.';
    expect(withoutEpochs({ state: 'FINISHED', imported })).toBe(elsewhere);
    // It only started from them, and did not get far.
    const started = { ...imported, trainedHere: true };
    expect(withoutEpochs({ state: 'FAILED', imported: started })).toBe('No epoch was finished.');
    expect(withoutEpochs({ state: 'FINISHED', imported: started })).toBe('No epoch was finished.');
  });

  it('say by what a training ended', () => {
    const end = (by: 'CAP' | 'STOP_RULE') => ({ epoch: 6, by, seconds: 0 });
    expect(endNote({ state: 'FINISHED', end: end('CAP') })).toBe('It ended at its cap, after epoch 6: it might have got better.');
    expect(endNote({ state: 'FINISHED', end: end('STOP_RULE') })).toBe('It ended by the stop rule, after epoch 6.');
    expect([endNote({ state: 'TRAINING', end: end('CAP') }), endNote({ state: 'FINISHED', end: null })]).toEqual([null, null]);
  });

  it('say where the own attack misses what a strong one finds', () => {
    expect(overfittingNote([epoch(1, null), epoch(2, null)])).toBeNull();
    expect(overfittingNote([epoch(1, 1), epoch(2, 1)])).toMatch(/^Catastrophic overfitting at epoch 2: /);
  });

  it('draw the perturbed loss only where there is one', () => {
    expect(lossSeries({ method, epochs: [epoch(1, null), epoch(2, null)] }).map(({ label }) => label)).toEqual(['training', 'validation']);
    const series = lossSeries({ method, epochs: [epoch(1, 1.5), epoch(2, 0.9)] });
    expect(series.map(({ label }) => label)).toEqual(['training', 'perturbed', 'clean']);
    expect(readEpoch(series, 2).map(({ text }) => text)).toEqual(['training 0.500', 'perturbed 0.900', 'clean 0.600']);
    expect(lossAxis(series).domain).toEqual([0.4, 1.6]);
    const exploded = lossAxis(lossSeries({ method, epochs: [{ ...epoch(1, null), validationLoss: 3.6e11 }] }));
    expect(exploded.ticks.map(exploded.format)).toEqual(['0', '1e11', '2e11', '3e11', '4e11']);
    expect(exploded.format(3.5e11)).toBe('3.5e11');
  });

  it('start the AUC axis at 0.4 unless an epoch was lower', () => {
    expect(aucAxis(aucSeries({ method, epochs: [epoch(1, null)] })).domain).toEqual([0.4, 1]);
    expect(aucAxis(aucSeries({ method, epochs: [epoch(1, null, 0.33), epoch(2, null, null)] })).domain).toEqual([0.3, 1]);
  });

  it('have whole epochs on their axis, two at least', () => {
    expect(epochAxis(1)).toMatchObject({ domain: [1, 2], ticks: [1, 2] });
    expect(epochAxis(40).ticks.every(Number.isInteger)).toBe(true);
  });

  it('are a table too', () => {
    expect(epochSheet({ name: 'r', epochs: [epoch(2, null)] }).rows).toEqual([[2, 0.5, 0.6, null, null, null, null, 0.7, 2, 'best']]);
  });
});

describe('the card', () => {
  it('puts what is keyed alike into one table, in the order of the list that names the keys', () => {
    const keyed = (value: (index: number) => unknown) =>
      Object.fromEntries(['F', 'E', 'D', 'C', 'B', 'A'].map((key, index) => [key, value(index)]));
    const parts = jsonParts({
      findings: ['A', 'B', 'C', 'D', 'E', 'F'],
      inputSize: 96,
      normalisation: { mean: 0.5, std: 0.2 },
      pixelRange: [0, 1],
      calibration: keyed((index) => (index === 0 ? { platt: null } : { platt: { a: index, b: 0 } })),
      camThresholds: { protocol: { name: 'paper' }, values: keyed((index) => 100 + index) },
    });
    expect(parts.facts).toEqual([
      { name: 'input size', text: '96' },
      { name: 'normalisation mean', text: '0.5' },
      { name: 'normalisation std', text: '0.2' },
      { name: 'pixel range', text: '0, 1' },
      { name: 'cam thresholds protocol name', text: 'paper' },
    ]);
    expect(parts.table?.rows.map(({ key }) => key)).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
    expect(parts.table?.columns).toEqual(['calibration platt a', 'calibration platt b', 'cam thresholds values']);
    expect(parts.table?.rows[5]?.values).toEqual({ 'cam thresholds values': 100 });
  });
});
