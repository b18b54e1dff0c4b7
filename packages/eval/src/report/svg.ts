import { INK } from './colors.ts';

/** Text as XML content or attribute. */
function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export interface TextOptions {
  color?: string;
  size?: number;
  anchor?: 'start' | 'middle' | 'end';
  weight?: number;
}

/** A line of text with its baseline at y. */
export function text(
  x: number,
  y: number,
  content: string,
  { color = INK, size = 11, anchor = 'start', weight = 400 }: TextOptions = {},
): string {
  const place = `x="${round(x)}" y="${round(y)}" fill="${color}" font-size="${size}"`;
  const rest = `${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}${weight === 400 ? '' : ` font-weight="${weight}"`}`;
  return `<text ${place}${rest}>${escapeXml(content)}</text>`;
}

export interface LineOptions {
  color: string;
  width?: number;
  dash?: string;
  opacity?: number;
}

export function polyline(points: readonly (readonly [number, number])[], { color, width = 1.5, dash, opacity = 1 }: LineOptions): string {
  const rest = `${dash ? ` stroke-dasharray="${dash}"` : ''}${opacity === 1 ? '' : ` stroke-opacity="${opacity}"`}`;
  return `<polyline points="${pointList(points)}" fill="none" stroke="${color}" stroke-width="${width}"${rest} stroke-linejoin="round"/>`;
}

export function rect(
  x: number,
  y: number,
  { width, height, color, stroke = 1, dash }: { width: number; height: number; color: string; stroke?: number; dash?: string },
): string {
  const dashes = dash ? ` stroke-dasharray="${dash}"` : '';
  const place = `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
  return `<rect ${place} fill="none" stroke="${color}" stroke-width="${stroke}"${dashes}/>`;
}

export function circle(x: number, y: number, { radius, color, opacity = 1 }: { radius: number; color: string; opacity?: number }): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${color}"${opacity === 1 ? '' : ` fill-opacity="${opacity}"`}/>`;
}

/** A picture stretched over a rectangle, its pixels as they are. */
export function picture(x: number, y: number, { size, href }: { size: number; href: string }): string {
  const place = `x="${round(x)}" y="${round(y)}" width="${size}" height="${size}"`;
  return `<image ${place} preserveAspectRatio="none" href="${escapeXml(href)}"/>`;
}

/** How wide a text is about: Inter's mean advance is 0.56 of its size. */
export function textWidth(content: string, size: number): number {
  return content.length * size * 0.56;
}

/** The lines of a text that fit into a width, broken between words. */
export function wrapText(content: string, { size, width }: { size: number; width: number }): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of content.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer, size) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

export function polygon(points: readonly (readonly [number, number])[], color: string, opacity: number): string {
  return `<polygon points="${pointList(points)}" fill="${color}" fill-opacity="${opacity}"/>`;
}

/** A whole figure on white, readable without the page around it. */
export function figure({ width, height, title, body }: { width: number; height: number; title: string; body: string[] }): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img"`,
    ` font-family="'Inter Variable', Inter, system-ui, sans-serif" style="font-variant-numeric: tabular-nums">\n`,
    `<title>${escapeXml(title)}</title>\n<rect width="${width}" height="${height}" fill="#FFFFFF"/>\n`,
    body.join('\n'),
    '\n</svg>\n',
  ].join('');
}

/** Moves labels apart to at least `gap`, keeping their order and as close to where they belong as the range allows. */
export function spreadLabels(wanted: readonly number[], { gap, from, to }: { gap: number; from: number; to: number }): number[] {
  const order = [...wanted.keys()].sort((a, b) => wanted[a]! - wanted[b]!);
  const placed = [...wanted];
  let floor = from;
  for (const index of order) {
    placed[index] = Math.max(placed[index]!, floor);
    floor = placed[index] + gap;
  }
  let ceiling = to;
  for (const index of order.reverse()) {
    placed[index] = Math.min(placed[index]!, ceiling);
    ceiling = placed[index] - gap;
  }
  return placed;
}

function pointList(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ');
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
