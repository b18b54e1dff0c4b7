import { expect, type Page } from '@playwright/test';

/** Whatever gets into a page, and whoever wants to show it. `complaints` is what the page reports: it names all that was blocked. */
export async function keepsToItself(page: Page, site: string, complaints: string[]): Promise<void> {
  await page.goto(`${site}/runs`);
  await runsOnlyItsOwn(page, complaints);
  await isNotShownElsewhere(await page.context().newPage(), site);
}

/** Puts into the page what an attacker would: none of it runs or is loaded. Leaves the page as it was. */
async function runsOnlyItsOwn(page: Page, complaints: string[]): Promise<void> {
  const ran = await page.evaluate(async () => {
    const mark = window as unknown as { ran: unknown[] };
    mark.ran = [];
    const inline = document.createElement('div');
    inline.innerHTML = '<img src="http://127.0.0.1:1/x.png" onerror="window.ran.push(1)"><a href="javascript:window.ran.push(2)">x</a>';
    document.body.append(inline);
    inline.querySelector('a')!.click();
    inline.insertAdjacentHTML('beforeend', '<iframe srcdoc="<script>parent.ran.push(3)</script>"></iframe>');
    const style = document.createElement('style');
    style.textContent = 'h1 { display: none }';
    document.head.append(style);
    await fetch('http://127.0.0.1:1/').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (getComputedStyle(document.querySelector('h1')!).display === 'none') mark.ran.push('style');
    return mark.ran;
  });
  expect(ran).toEqual([]);
  await page.reload();
  const blocked = complaints.splice(0).join('\n');
  for (const directive of ['script-src-attr', 'script-src-elem', 'style-src-elem', 'connect-src', 'img-src'])
    expect(blocked).toContain(`${directive} blocks`);
}

/** A page of another site gets neither our pages into a frame nor our pictures. */
async function isNotShownElsewhere(other: Page, site: string): Promise<void> {
  const body = `<iframe src="${site}/runs"></iframe><img src="${site}/icon.svg">`;
  await other.route('http://elsewhere.example/', (route) => route.fulfill({ contentType: 'text/html', body }));
  await other.goto('http://elsewhere.example/');
  expect(await other.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(0);
  expect(await other.frames()[1]!.locator('main').count()).toBe(0);
  await other.close();
}
