import { type Sheet, toCsv } from './sheet.ts';

/** What makes an SVG look the same outside this page: its colours come from the page's variables. */
const STYLES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-opacity',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linejoin',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'opacity',
  'paint-order',
] as const;

const MARGIN = 16;

/** All charts inside `container` as one stand-alone SVG, placed as on the screen, with the caption below. */
function composeSvg(container: HTMLElement, caption: string): { text: string; width: number; height: number } {
  const box = container.getBoundingClientRect();
  const charts = [...container.querySelectorAll<SVGSVGElement>('svg[data-chart]')];
  const width = Math.ceil(box.width) + 2 * MARGIN;
  const height = Math.ceil(Math.max(...charts.map((chart) => chart.getBoundingClientRect().bottom)) - box.top) + 2 * MARGIN + 20;
  const page = getComputedStyle(document.body);
  const root = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  root.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  root.setAttribute('viewBox', `0 0 ${width} ${height}`);
  root.setAttribute('width', String(width));
  root.setAttribute('height', String(height));
  root.append(element('rect', { width: '100%', height: '100%', fill: page.backgroundColor }));
  for (const chart of charts) {
    const place = chart.getBoundingClientRect();
    const copy = withStyles(chart);
    copy.setAttribute('x', String(place.left - box.left + MARGIN));
    copy.setAttribute('y', String(place.top - box.top + MARGIN));
    root.append(copy);
  }
  const text = element('text', {
    x: String(MARGIN),
    y: String(height - MARGIN),
    fill: page.color,
    'font-size': '12',
    'font-family': 'Inter, sans-serif',
  });
  text.textContent = caption;
  root.append(text);
  return { text: new XMLSerializer().serializeToString(root), width, height };
}

/** Saves the charts inside `container` as a file. */
export async function saveCharts(container: HTMLElement, format: 'svg' | 'png', name: string, caption: string): Promise<void> {
  const svg = composeSvg(container, caption);
  const file = new Blob([svg.text], { type: 'image/svg+xml' });
  download(format === 'svg' ? file : await rasterise(svg), `${name}.${format}`);
}

export function saveSheet(sheet: Sheet): void {
  download(new Blob([toCsv(sheet)], { type: 'text/csv;charset=utf-8' }), `${sheet.name}.csv`);
}

function element(name: string, attributes: Record<string, string>): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function withStyles(chart: SVGSVGElement): SVGSVGElement {
  const copy = chart.cloneNode(true) as SVGSVGElement;
  const originals = [chart, ...chart.querySelectorAll('*')];
  for (const [index, made] of [copy, ...copy.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(originals[index]!);
    made.removeAttribute('class');
    made.removeAttribute('style');
    for (const name of STYLES) made.setAttribute(name, style.getPropertyValue(name));
  }
  return copy;
}

/** Twice the size on screen, for print. */
async function rasterise({ text, width, height }: { text: string; width: number; height: number }): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('This browser could not write the PNG.'))), 'image/png'),
  );
}

function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
