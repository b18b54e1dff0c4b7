import { CxrError, findingLabel, inferno } from '@cxr-lens/data';
import { methodColor, QUIET } from './colors.ts';
import { type EpsilonFigureInput, type ExplanationFigureInput, type FigureImage, type Picture, tile } from './picture.ts';
import { figure, round, text, textWidth, wrapText } from './svg.ts';

const SIZE = 180;
const GAP = 8;
const LEFT = 16;
const HEAD = 78;
const ROW = SIZE + 34;
const NOTE = 10;
const LEGEND_LINE = 18;
const NOTE_LINE = 15;

/** Fig. 1: per image the CAM over it and the saliency, network beside network, with the box of the radiologist. */
export function explanationFigure({ rows, synthetic, rule }: ExplanationFigureInput): string {
  const networks = sameColumns(rows, ({ explanations }) => explanations.map(({ label }) => label));
  const title = `CAM and saliency${synthetic ? ', synthetic radiographs' : ''}`;
  const columns = 1 + 2 * networks.length;
  const head = rows[0]!.explanations.flatMap(({ label, method }, index) => {
    const x = column(1 + 2 * index);
    return [
      text(x, HEAD - 28, label, { size: 12, weight: 600, color: methodColor(method) }),
      text(x, HEAD - 10, 'CAM', { color: QUIET }),
      text(column(2 + 2 * index), HEAD - 10, 'saliency', { color: QUIET }),
    ];
  });
  const body = rows.flatMap((row, index) => {
    const y = HEAD + index * ROW;
    const place = (at: number, what: string) => ({ x: column(at), y, size: SIZE, box: row.box, what: `${what} of ${row.name}` });
    return [
      ...imageTile(row, y),
      ...row.explanations.flatMap(({ label, method, cam, saliency, box, note }, network) => {
        const predicted = box ? { box, color: methodColor(method) } : null;
        return [
          ...tile(cam, { ...place(1 + 2 * network, `CAM by ${label}`), predicted }),
          ...tile(saliency, place(2 + 2 * network, `saliency by ${label}`)),
          ...(note ? [text(column(1 + 2 * network), y + SIZE + 14, note, { color: QUIET, size: 10 })] : []),
        ];
      }),
    ];
  });
  const dashed = rows.some(({ explanations }) => explanations.some(({ box }) => box)) ? ` ${DASHED}` : '';
  return whole({
    title,
    columns,
    rows: rows.length,
    head,
    body,
    note: `${WHITE}${dashed} ${rule}`,
    legends: [CAM_LEGEND, SALIENCY_LEGEND],
  });
}

/** Fig. 4: the saliency of one image as epsilon grows, with the box. */
export function epsilonFigure({ rows, synthetic, rule }: EpsilonFigureInput): string {
  const epsilons = sameColumns(rows, ({ saliencies }) => saliencies.map(({ epsilon }) => String(epsilon)));
  const title = `Saliency over epsilon${synthetic ? ', synthetic radiographs' : ''}`;
  const head = epsilons.map((epsilon, index) => text(column(1 + index), HEAD - 10, `\u03B5 = ${epsilon}`, { size: 12, weight: 600 }));
  const body = rows.flatMap((row, index) => {
    const y = HEAD + index * ROW;
    return [
      ...imageTile(row, y),
      ...row.saliencies.flatMap(({ epsilon, saliency }, at) =>
        tile(saliency, { x: column(1 + at), y, size: SIZE, box: row.box, what: `saliency at epsilon ${epsilon} of ${row.name}` }),
      ),
    ];
  });
  return whole({
    title,
    columns: 1 + epsilons.length,
    rows: rows.length,
    head,
    body,
    note: `${WHITE} ${rule}`,
    legends: [SALIENCY_LEGEND],
  });
}

function column(index: number): number {
  return LEFT + index * (SIZE + GAP);
}

function imageTile(row: FigureImage & { picture: Picture }, y: number): string[] {
  return [
    ...tile(row.picture, { x: column(0), y, size: SIZE, box: row.box, what: `image ${row.name}` }),
    text(column(0), y + SIZE + 14, `${findingLabel(row.finding)}, ${row.name}`, { size: 10, color: QUIET }),
  ];
}

/** @throws CxrError BAD_INPUT without a row or a column, and for rows whose columns differ */
function sameColumns<T extends FigureImage>(rows: readonly T[], columnsOf: (row: T) => string[]): string[] {
  const [first] = rows;
  const columns = first ? columnsOf(first) : [];
  if (columns.length === 0) throw new CxrError('BAD_INPUT', 'a figure without pictures: expected at least one image with one explanation');
  for (const row of rows) {
    const own = columnsOf(row);
    if (own.join('\n') === columns.join('\n')) continue;
    throw new CxrError('BAD_INPUT', `${row.name} has the columns ${own.join(', ')}: expected ${columns.join(', ')}, as the first image`);
  }
  return columns;
}

interface Whole {
  title: string;
  columns: number;
  rows: number;
  head: string[];
  body: string[];
  legends: readonly Legend[];
  note: string;
}

/** Title, pictures, the legends in a row where they fit, and what must be said beneath. */
function whole({ title, columns, rows, head, body, legends, note }: Whole): string {
  const width = column(columns) - GAP + LEFT;
  const inner = width - 2 * LEFT;
  const below = HEAD + rows * ROW + 4;
  const oneRow = legends.reduce((total, legend) => total + legendWidth(legend) + LEGEND_GAP, -LEGEND_GAP) <= inner;
  const places = legends.map((_, index) => ({
    x: LEFT + (oneRow ? legends.slice(0, index).reduce((total, legend) => total + legendWidth(legend) + LEGEND_GAP, 0) : 0),
    y: below + (oneRow ? 0 : index * LEGEND_LINE),
  }));
  const noteTop = below + (oneRow ? 1 : legends.length) * LEGEND_LINE + 12;
  const lines = wrapText(note, { size: NOTE, width: inner });
  return figure({
    width,
    height: noteTop + lines.length * NOTE_LINE,
    title,
    body: [
      text(LEFT, 28, title, { size: 14, weight: 600 }),
      ...head,
      ...body,
      ...legends.flatMap((legend, index) => colorBar(legend, places[index]!)),
      ...lines.map((line, index) => text(LEFT, noteTop + index * NOTE_LINE, line, { size: NOTE, color: QUIET })),
    ],
  });
}

const WHITE = 'White: the box of the list.';
const DASHED = "Dashed: around the largest part of the CAM's region at the threshold of the run's card.";

/** A colour bar between two words. */
interface Legend {
  id: string;
  stops: readonly string[];
  from: string;
  to: string;
}

const CAM_LEGEND: Legend = {
  id: 'inferno',
  stops: Array.from({ length: 9 }, (_, i) => `rgb(${inferno((i * 255) / 8).join(' ')})`),
  from: 'CAM lowest of the image',
  to: 'highest',
};
const SALIENCY_LEGEND: Legend = { id: 'grey', stops: ['#000000', '#808080', '#FFFFFF'], from: 'saliency -3 sd (grey: zero)', to: '+3 sd' };
const BAR = 90;
const LEGEND_GAP = 28;

function legendWidth({ from, to }: Legend): number {
  return textWidth(from, NOTE) + 8 + BAR + 8 + textWidth(to, NOTE);
}

function colorBar({ id, stops, from, to }: Legend, { x, y }: { x: number; y: number }): string[] {
  const bar = round(x + textWidth(from, NOTE) + 8);
  const offsets = stops.map((color, i) => `<stop offset="${i / (stops.length - 1)}" stop-color="${color}"/>`);
  return [
    text(x, y + 10, from, { color: QUIET, size: NOTE }),
    `<defs><linearGradient id="${id}">${offsets.join('')}</linearGradient></defs>`,
    `<rect x="${bar}" y="${y + 1}" width="${BAR}" height="10" fill="url(#${id})" stroke="${QUIET}" stroke-width="0.5"/>`,
    text(bar + BAR + 8, y + 10, to, { color: QUIET, size: NOTE }),
  ];
}
