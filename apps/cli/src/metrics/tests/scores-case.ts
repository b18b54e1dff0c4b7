import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect } from 'vitest';
import { runCli } from '../../testing.ts';
import reference from './reference.json' with { type: 'json' };

export const { rows, findings: expected, meanBootstrap } = reference.auc;
const folder = mkdtempSync(path.join(tmpdir(), 'cxr-auc-'));
export const write = (name: string, content: string | Buffer): string => {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
};
export const csv = (cells: readonly (readonly (string | number)[])[], separator = ','): string =>
  `${cells.map((row) => row.join(separator)).join('\n')}\n`;

export type Row = (typeof rows)[number];
export const scoreCells = (name: (row: Row) => string, header = ['Image Index', 'Cardiomegaly', 'Effusion']) => [
  header,
  ...rows.map((row) => [name(row), row.a.Cardiomegaly, row.a.Effusion]),
];
export const png = ({ image }: Row) => `${image}.png`;
export const plain = scoreCells(png);
const findingsOf = ({ labels }: Row) =>
  Object.entries(labels)
    .flatMap(([finding, present]) => (present ? [finding] : []))
    .join('|') || 'No Finding';
export const nihLabels = [['Image Index', 'Finding Labels', 'Patient ID'], ...rows.map((row) => [png(row), findingsOf(row), row.patient])];
export const columnLabels = [
  ['image', 'cardiomegaly', 'effusion'],
  ...rows.map((row) => [png(row), row.labels.Cardiomegaly, row.labels.Effusion]),
];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `metrics auc --json` of two files that can be measured. */
export async function measure(scores: string, labels: string, ...more: string[]) {
  const { code, stdout, stderr } = await runCli('metrics', 'auc', '--scores', scores, '--labels', labels, '--json', ...more);
  if (code !== 0) throw new Error(stderr);
  return { result: JSON.parse(stdout), stderr };
}

/** The sentence of `metrics auc` on files that cannot be. */
export async function refusal(scores: string, labels: string, ...more: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli('metrics', 'auc', '--scores', scores, '--labels', labels, '--json', ...more);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).not.toContain('    at ');
  return stderr;
}

export function expectReference(result: { findings: Record<string, { auc: number; positives: number }> }): void {
  expect(Object.keys(result.findings)).toEqual(Object.keys(expected));
  for (const [finding, { auc, positives }] of Object.entries(expected)) {
    expect(result.findings[finding]!.auc).toBeCloseTo(auc, 12);
    expect(result.findings[finding]!.positives).toBe(positives);
  }
}
