import type { Page } from '@playwright/test';

/**
 * Counts, from its next address on, what the page's security policy blocks; without it a style or a picture would only be missing. Needs to be
 * called before the page is opened.
 */
export async function watchPolicy(page: Page, report: (problem: string) => void): Promise<void> {
  await page.exposeFunction('reportBlocked', report);
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile, lineNumber, sample }) => {
      const { reportBlocked } = window as unknown as { reportBlocked: (problem: string) => void };
      reportBlocked(`${location.pathname}: ${effectiveDirective} blocks ${blockedURI} ${sample} (${sourceFile}:${lineNumber})`);
    });
  });
}

/** Lists what the headers of a page lack: a policy that runs only scripts with the page's nonce, and the other safety headers. */
export function auditHeaders(headers: Record<string, string>): string[] {
  const policy = headers['content-security-policy'] ?? '';
  const script = /script-src ([^;]*)/.exec(policy)?.[1] ?? '';
  const wanted: Record<string, boolean> = {
    "script-src with a nonce, 'strict-dynamic' and nothing unsafe":
      /^'nonce-[\w+/=]{22,}' 'strict-dynamic'$/.test(script.trim()) && !/script-src-(attr|elem)/.test(policy),
    "default-src 'self'": /(^|; )default-src 'self'(;|$)/.test(policy),
    "frame-ancestors 'none'": /(^|; )frame-ancestors 'none'(;|$)/.test(policy),
    "object-src 'none'": /(^|; )object-src 'none'(;|$)/.test(policy),
    "base-uri 'none'": /(^|; )base-uri 'none'(;|$)/.test(policy),
    nosniff: headers['x-content-type-options'] === 'nosniff',
    'Referrer-Policy': headers['referrer-policy'] === 'no-referrer',
    'Cross-Origin-Resource-Policy': headers['cross-origin-resource-policy'] === 'same-origin',
  };
  return Object.entries(wanted).flatMap(([what, there]) => (there ? [] : [`no ${what}: ${policy}`]));
}

/** What keeps people from using a page, found in the page as it is: missing names, lost headings, text too faint, sideways scrolling. */
export function audit(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const problems: string[] = [];
    const text = (element: Element): string => (element.textContent ?? '').trim().slice(0, 40);
    const visible = (element: Element): boolean => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });

    if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
      const out = [...document.querySelectorAll('body *')].find(
        (element) =>
          element.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !element.closest('.overflow-x-auto'),
      );
      problems.push(`scrolls sideways: ${out?.outerHTML.slice(0, 120)}`);
    }
    if (!document.documentElement.lang) problems.push('no language');
    if (!document.title) problems.push('no title');
    if (document.querySelectorAll('h1').length !== 1) problems.push(`${document.querySelectorAll('h1').length} h1`);
    if (document.querySelectorAll('main').length !== 1) problems.push('not one main');

    const named = (element: Element): boolean => {
      const label = element.getAttribute('aria-label') ?? element.getAttribute('title') ?? '';
      const by = element.getAttribute('aria-labelledby');
      const own = element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;
      const labels = own ? [...(element.labels ?? [])].map(text).join('') : text(element);
      const pictures = [...element.querySelectorAll('img')].map(({ alt }) => alt).join('');
      return `${label}${by ? text(document.getElementById(by)!) : ''}${labels}${pictures}`.trim() !== '';
    };
    const controls =
      'a[href], button, input:not([type=hidden]), select, textarea, [role=radio], [role=slider], [role=progressbar], [tabindex="0"]';
    for (const element of document.querySelectorAll(controls)) {
      if (visible(element) && !named(element)) problems.push(`no name: ${element.outerHTML.slice(0, 120)}`);
    }
    for (const image of document.querySelectorAll('img')) if (!image.hasAttribute('alt')) problems.push(`no alt: ${image.src}`);
    for (const chart of document.querySelectorAll('svg[role=img]'))
      if (!chart.getAttribute('aria-label')) problems.push('a chart without words');
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push(`id ${id} twice`);

    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const channels = (colour: string): [number, number, number, number] => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0, alpha = 0] = canvas.getImageData(0, 0, 1, 1).data;
      return [red, green, blue, alpha / 255];
    };
    // Relative luminance and contrast, WCAG 2.2.
    const luminance = (colour: string): number => {
      const [red, green, blue] = channels(colour).map((channel) => {
        const share = channel / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
    };
    const behind = (element: Element): string => {
      for (let at: Element | null = element; at; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if (channels(backgroundColor)[3] > 0.9) return backgroundColor;
      }
      return 'white';
    };
    for (const element of document.querySelectorAll('body *')) {
      const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
      if (!own || !visible(element) || element.matches(':disabled, :disabled *, script, style, title, option, .sr-only, .sr-only *'))
        continue;
      const style = getComputedStyle(element);
      const [light, dark] = [luminance(element instanceof SVGElement ? style.fill : style.color), luminance(behind(element))].sort(
        (a, b) => b - a,
      );
      const contrast = (light! + 0.05) / (dark! + 0.05);
      // Line labels repeat a line's colour and stand beside a table with the same words in ink: the graphics limit of 3 holds for them.
      if (contrast < (element instanceof SVGElement ? 3 : 4.5)) problems.push(`contrast ${contrast.toFixed(1)}: ${text(element)}`);
    }
    return [...new Set(problems)];
  });
}
