import type { Case } from './cases.ts';
import { agrees, difference, isOurs, type Measurement } from './measurement.ts';

/** A measurement beside the first of its case, whose outputs are what is expected. */
interface Checked extends Measurement {
  difference: number;
  agrees: boolean;
}

/** The measurements of one case, each compared with the first. */
export function checked(measurements: readonly Measurement[]): Checked[] {
  const expected = measurements[0]?.outputs ?? [];
  return measurements.map((one) => {
    const found = difference(one.outputs, expected);
    return { ...one, difference: found, agrees: agrees(one, found) };
  });
}

/** The fastest whose outputs agree. */
function fastest<T extends Checked>(measurements: readonly T[]): T | undefined {
  return measurements.filter((one) => one.agrees).sort((a, b) => b.imagesPerSecond - a.imagesPerSecond)[0];
}

/** One case: a line of what counts, and the table of all subjects. Ratios are of our fastest, and only where outputs agree. */
export function caseTable({ title, batch }: Case, measurements: readonly Measurement[]): string {
  const all = checked(measurements);
  const ours = fastest(all.filter(isOurs));
  const rows = all.map((one) => [
    one.subject,
    milliseconds(one.secondsMedian),
    rate(one.imagesPerSecond),
    one.agrees && ours && !isOurs(one) ? ratio(ours.imagesPerSecond / one.imagesPerSecond) : '',
    `${Math.round(one.peakRssBytes / 2 ** 20)}`,
    one.agrees && ours && !isOurs(one) ? ratio(ours.peakRssBytes / one.peakRssBytes) : '',
    one === all[0] ? 'expected' : `${one.difference.toExponential(0)}${one.agrees ? '' : ', **disagrees**'}`,
  ]);
  const heading = ['', 'ms a call', 'images/s', 'CXR Lens is x as fast', 'peak MiB', "CXR Lens' share of it", 'outputs differ by'];
  return [`### ${title}, batch ${batch}`, ...headline(all), markdownTable(heading, rows)].join('\n\n');
}

/** Ours and the peer that count, of those whose outputs agree; null where a side has none. */
export function bestOfEach<T extends Measurement>(measurements: readonly T[]): { ours: T; peer: T } | null {
  const all = checked(measurements);
  const [ours, peer] = [true, false].map((side) => fastest(all.filter((one) => isOurs(one) === side)));
  if (!ours || !peer) return null;
  return { ours: measurements[all.indexOf(ours)]!, peer: measurements[all.indexOf(peer)]! };
}

function headline(all: readonly Checked[]): string[] {
  const best = bestOfEach(all);
  if (!best) return [];
  const { ours, peer } = best;
  const speed = ratio(ours.imagesPerSecond / peer.imagesPerSecond);
  const memory = ratio(ours.peakRssBytes / peer.peakRssBytes);
  return [`${ours.subject} is ${speed} times as fast as the fastest peer, ${peer.subject}, with ${memory} times its memory.`];
}

/** Each side at its best batch size, where a task was measured at several. */
export function throughput(cases: readonly (readonly Measurement[])[]): string[] {
  if (cases.length < 2) return [];
  const all = cases.flatMap(checked);
  const [ours, peer] = [all.filter(isOurs), all.filter((one) => !isOurs(one))].map(fastest);
  if (!ours || !peer) return [];
  const said = (one: Measurement) => `${rate(one.imagesPerSecond)} images/s (${one.subject}, batch ${one.batch})`;
  const speed = ratio(ours.imagesPerSecond / peer.imagesPerSecond);
  return [`Throughput, each at its best batch size: ${said(ours)}, the best peer ${said(peer)}: ${speed} times as fast.`];
}

/** What explanations cost beside single ones, our own times of one precision. */
export function explanationCost(measurements: readonly Measurement[]): string[] {
  return measurements.flatMap(({ subject, task, besideSingle }) => {
    if (besideSingle === undefined) return [];
    if (task === 'cams14') return [`${subject}: Logits and 14 CAMs take ${ratio(besideSingle)} of logits alone.`];
    return [`${subject}: Saliency of 14 findings takes ${ratio(besideSingle / 14)} of 14 single ones.`];
  });
}

/** Lines of a script as they are: one table for each kind of line, a column for each key. */
export function linesTable(lines: readonly Record<string, unknown>[]): string {
  const kinds = Map.groupBy(lines, (line) => Object.keys(line).join(' '));
  return [...kinds.values()]
    .map((same) => {
      const keys = Object.keys(same[0]!);
      return markdownTable(
        keys.map((key) => key.replaceAll(/MiB|[A-Z][a-z]+/g, (word) => ` ${word === 'MiB' ? word : word.toLowerCase()}`)),
        same.map((line) => keys.map((key) => shown(line[key]))),
      );
    })
    .join('\n\n');
}

function shown(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : '**no**';
  return typeof value === 'number' && !Number.isInteger(value) ? `${Number(value.toPrecision(3))}` : String(value);
}

function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`.replaceAll(/ +\|/g, ' |');
  return [line(heading), `|${'---|'.repeat(heading.length)}`, ...rows.map(line)].join('\n');
}

const ratio = (value: number): string => value.toFixed(2);
const rate = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(1));
const milliseconds = (seconds: number): string => (seconds < 0.1 ? (1000 * seconds).toFixed(1) : (1000 * seconds).toFixed(0));
