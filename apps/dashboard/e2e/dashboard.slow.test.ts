import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prepare, writePhantom } from '@cxr-lens/data';
import { requireOrSkip } from '@cxr-lens/data/testing';
import { registerDataSet, type TestDatabase, testDatabase } from '@cxr-lens/prisma';
import { type Browser, chromium, expect, type Page } from '@playwright/test';
import { afterAll, beforeAll, it, type TestContext } from 'vitest';
import { audit, auditHeaders, watchPolicy } from './audit.ts';
import { drawsProtocolsApart, measuredRows, offersRecipeAndFold } from './methods.ts';
import { keepsToItself } from './policy.ts';
import { answering, freePort, type Started, start, stop } from './processes.ts';

// The whole stack on real input: phantoms, Postgres, TensorFlow, the API, the built pages, a browser. About four minutes on two cores.

const CHROMIUM = process.env['CXR_CHROMIUM'] ?? '/usr/bin/chromium';
const BUILD = '.next/e2e';
const LONG = 300_000;

let browser: Browser | undefined;
let database: TestDatabase;
let home: string;
let phantom: string;
let site: string;
let page: Page;
const stack: Started[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }).catch(() => undefined);
  if (!browser) return;
  home = mkdtempSync(path.join(tmpdir(), 'cxr-lens-e2e-'));
  process.env['CXR_HOME'] = home;
  database = await testDatabase();
  const env = { CXR_HOME: home, DATABASE_URL: database.url, CXR_DASHBOARD_BUILD: BUILD, LOG_LEVEL: 'warn' };

  const build = start('node_modules/next/dist/bin/next', { ...env, NODE_ENV: 'production' }, ['build', 'apps/dashboard']);
  phantom = path.join(home, 'data/phantom');
  await writePhantom({ folder: phantom, images: 400, seed: 5, size: 128, prevalence: 'enriched' });
  if ((await build.exited) !== 0) throw new Error(build.output());

  const dashboard = `http://127.0.0.1:${await freePort()}`;
  site = `http://127.0.0.1:${await freePort()}`;
  const pages = start('apps/dashboard/server.mjs', { ...env, NODE_ENV: 'production', PORT: new URL(dashboard).port });
  const api = start('apps/api/src/main.ts', { ...env, PORT: new URL(site).port, DASHBOARD_URL: dashboard });
  stack.push(pages, api, start('apps/worker/src/main.ts', env));
  await answering(dashboard, pages);
  await answering(`${site}/healthz`, api);
  page = await open('light', 1280);
}, LONG);

afterAll(async () => {
  await browser?.close();
  for (const one of stack) await stop(one);
  if (home) rmSync(home, { recursive: true, force: true });
  await database?.drop();
}, LONG);

/** A page of its own that reports whatever its console complains of. */
async function open(colorScheme: 'light' | 'dark', width: number): Promise<Page> {
  const context = await browser!.newContext({ colorScheme, viewport: { width, height: 900 }, acceptDownloads: true });
  const made = await context.newPage();
  made.setDefaultTimeout(20_000);
  made.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${made.url()}: ${message.text()} ${message.location().url}`);
  });
  made.on('pageerror', (error) => complaints.push(`${made.url()}: ${error.message}`));
  await watchPolicy(made, (problem) => complaints.push(problem));
  return made;
}

const settled = (one: Page) => expect(one.locator('[aria-busy=true]')).toHaveCount(0, { timeout: 20_000 });

async function visit(one: Page, address: string): Promise<void> {
  expect(auditHeaders((await one.goto(site + address))!.headers()), address).toEqual([]);
  await settled(one);
}

/** The tests of this file build on each other; without a browser each says why it is skipped. */
function step(name: string, body: () => Promise<void>, timeout = 120_000): void {
  it(
    name,
    async (ctx: TestContext) => {
      requireOrSkip(ctx, 'browser', CHROMIUM);
      if (!browser) throw new Error(`${CHROMIUM} is there but did not start.`);
      await body();
      expect(complaints.splice(0)).toEqual([]);
    },
    timeout,
  );
}

step('says on every empty page what would be there and the next step', async () => {
  const next = { '/': 'npm run demo', '/runs': 'npm run demo', '/studies': 'Drop a chest radiograph', '/jobs': 'Upload a radiograph' };
  for (const [address, words] of Object.entries(next)) {
    await visit(page, address);
    await expect(page.locator('main')).toContainText(words);
    expect(await audit(page), address).toEqual([]);
  }
});

step('runs no script but its own, and is shown in no page of others', () => keepsToItself(page, site, complaints));

/** Sends the form and waits for the page of the new run. */
async function startTraining(): Promise<void> {
  const before = new URL(page.url()).pathname;
  await page.getByRole('dialog').getByRole('button', { name: 'Start training' }).click();
  await page.waitForURL(({ pathname }) => pathname !== before && /^\/runs\/.+/.test(pathname));
}

async function train(form: Record<string, string>, choose: Record<string, string> = {}): Promise<void> {
  const dialog = page.getByRole('dialog');
  for (const [label, value] of Object.entries(choose)) await dialog.getByLabel(label).selectOption({ label: value });
  for (const [label, value] of Object.entries(form)) await dialog.getByLabel(label).fill(value);
  await startTraining();
  await expect(page.getByRole('button', { name: 'Cancel training' })).toBeVisible({ timeout: 30_000 });
  // Only the subscription brings what follows: the page is not loaded again.
  await expect(page.getByRole('slider', { name: 'Loss: Epoch' })).toBeVisible({ timeout: LONG });
  await expect(page.locator('dd').getByText('finished')).toBeVisible({ timeout: LONG });
  await expect(page.locator('main')).toContainText('best: ');
}

async function evaluate(): Promise<void> {
  await page.getByRole('button', { name: 'Evaluate' }).click();
  await expect(page.getByRole('region', { name: 'Evaluations' }).getByRole('link', { name: /phantom/ })).toBeVisible({ timeout: LONG });
}

step(
  'trains the Baseline from its form, shows every epoch as it ends, and evaluates it',
  async () => {
    const prepared = await prepare({ folder: phantom, out: path.join(home, 'data/phantom-96.cxr'), size: 96 });
    await registerDataSet(database.prisma, prepared.path);
    await visit(page, '/runs');
    await page.getByRole('button', { name: 'Train a run' }).click();
    const options = page.getByLabel('Other options, one name=value a line');
    await options.fill('maxEpoch=3');
    await page.getByRole('button', { name: 'Start training' }).click();
    await expect(page.getByRole('dialog').getByRole('alert')).toContainText('maxEpoch');
    await train({ 'Name, if you want one': 'First baseline', 'Other options, one name=value a line': 'maxEpochs=3' });
    await expect(page.getByRole('region', { name: 'Options that differ from their defaults' })).toContainText('maxEpochs');
    await evaluate();
    expect(await audit(page)).toEqual([]);
  },
  LONG * 2,
);

step(
  'trains Robust from it and evaluates that',
  async () => {
    await page.getByRole('button', { name: 'Train from it' }).click();
    await train({ 'Other options, one name=value a line': 'maxEpochs=2' }, { Method: 'Robust' });
    await expect(page.locator('main')).toContainText('Started from');
    await expect(page.locator('svg[data-chart]').first()).toContainText('perturbed');
    await evaluate();
  },
  LONG * 2,
);

step('compares them: eight curves in step, what can be said, 14 AUC, each as table and file', async () => {
  await visit(page, '/');
  await expect(page.getByRole('button', { name: /^Enlarge / })).toHaveCount(8);
  await expect(page.locator('main')).toContainText('measured on phantoms');
  await expect(page.getByRole('region', { name: 'What can be said' })).toContainText('Robust over Baseline', { timeout: 30_000 });
  await expect(page.getByRole('region', { name: 'AUC and localisation accuracy of each finding and run' }).locator('tbody tr')).toHaveCount(
    14,
  );

  const slider = page.getByRole('slider', { name: 'T(IoU)' });
  await expect(slider).toHaveAttribute('aria-valuetext', '0.3');
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await expect(slider).toHaveAttribute('aria-valuetext', '0.4');
  await expect(page.locator('svg[data-chart]').first()).toHaveAttribute('aria-label', /At 0\.4: Baseline [\d.]+/);

  await page.getByRole('button', { name: 'Enlarge Cardiomegaly' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Cardiomegaly' })).toContainText('Cardiomegaly');
  await expect(page).toHaveURL(/finding=Cardiomegaly/);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);

  for (const format of ['SVG', 'PNG', 'CSV']) {
    await page.getByRole('button', { name: 'Save Localisation accuracy' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: format }).click();
    const bytes = readFileSync(await (await download).path());
    if (format === 'PNG') expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    else expect(bytes.toString()).toContain('Cardiomegaly');
    if (format === 'SVG') expect(bytes.toString()).not.toContain('var(--');
    if (format === 'CSV') expect(bytes.toString().trim().split('\r\n').length).toBeGreaterThan(8 * 5 * 7);
  }
  await page.getByRole('radio', { name: 'Table' }).first().check({ force: true });
  await expect(page.getByRole('region', { name: 'Localisation accuracy' }).locator('tbody tr').first()).toBeVisible();
});

step('explains an upload with both runs side by side, and says how far to trust it', async () => {
  const boxed = readFileSync(path.join(phantom, 'BBox_List_2017.csv'), 'utf8').split('\n')[1]!.split(',')[0]!;
  await visit(page, '/studies');
  await page.getByLabel('Pictures to upload').setInputFiles(path.join(phantom, 'images', boxed));
  await page.waitForURL(/\/studies\/.+/);
  await expect(page.getByRole('radio', { name: /Hernia/ })).toBeVisible({ timeout: LONG });
  await expect(page.getByRole('region', { name: 'Explanation' })).toHaveCount(0, { timeout: LONG });
  await expect(page.locator('figure')).toHaveCount(2);
  await expect(page.locator('figure canvas')).toHaveCount(2);
  await expect(page.locator('main')).toContainText('Research use, not for diagnosis');
  await expect(page.getByRole('region', { name: 'How far to trust this' })).toContainText('%');
  await expect(page.locator('figure rect[stroke="#fff"]')).toHaveCount(2);

  const panes = page.locator('figure section');
  await panes.first().focus();
  await page.keyboard.press('+');
  await page.keyboard.press('ArrowRight');
  const moved = await panes.first().locator('> div').getAttribute('style');
  expect(moved).toContain('scale(1.25)');
  await expect(panes.nth(1).locator('> div')).toHaveAttribute('style', moved!);
  await page.keyboard.press('0');

  const selected = page.getByRole('radiogroup', { name: /^Findings/ }).getByRole('radio', { checked: true });
  const before = await selected.getAttribute('data-finding');
  await selected.focus();
  await page.keyboard.press('ArrowDown');
  expect(await selected.getAttribute('data-finding')).not.toBe(before);
  await page.getByText('Saliency', { exact: true }).click();
  await page.getByText('Red-blue').click();
  await expect(page.locator('figure canvas')).toHaveCount(2);
  expect(await audit(page)).toEqual([]);
  const alone = await open('light', 800);
  await alone.goto(`${site}/images/${(await database.prisma.image.findFirstOrThrow()).id}.png`);
  expect(await alone.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(128);
  await alone.context().close();
});

step('refuses a dropped file that is no picture, with the code and the remedy', async () => {
  await visit(page, '/jobs');
  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['<!doctype html><title>no</title>'], 'page.png', { type: 'image/png' }));
    return data;
  });
  await page.dispatchEvent('main', 'dragover', { dataTransfer: dropped });
  await expect(page.getByText('Drop PNG, JPEG or DICOM files')).toBeVisible();
  await page.dispatchEvent('main', 'drop', { dataTransfer: dropped });
  await expect(page.getByRole('alert').filter({ hasText: 'page.png' })).toContainText('BAD_INPUT');
  // The browser itself reports the refusal.
  expect(complaints.splice(0).every((line) => line.includes('Failed to load resource'))).toBe(true);
});

step('cancels a training, and lists every job', async () => {
  await visit(page, '/runs');
  await page.getByRole('button', { name: 'Train a run' }).click();
  await startTraining();
  await page.getByRole('button', { name: 'Cancel training' }).click();
  await expect(page.locator('dd').getByText('cancelled')).toBeVisible({ timeout: 60_000 });
  await visit(page, '/jobs');
  await expect(page.locator('tbody tr')).toHaveCount(6);
});

step(
  'sweeps epsilon from the Baseline by keyboard: one job that shows its runs',
  async () => {
    const { id } = await database.prisma.run.findFirstOrThrow({ where: { method: 'baseline', state: 'FINISHED' } });
    await visit(page, `/runs/${id}`);
    await page.getByRole('button', { name: 'Sweep epsilon' }).focus();
    await page.keyboard.press('Enter');
    const epsilons = page.getByRole('textbox', { name: 'Epsilons' });
    await expect(epsilons).toHaveValue('0, 0.001, 0.002, 0.005, 0.01, 0.02');
    await page.getByLabel('Other options of all runs').fill('maxEpochs=1');
    await epsilons.fill('0, small');
    await epsilons.press('Enter');
    await expect(page.getByRole('dialog').getByRole('alert')).toContainText('"small" is no number');
    expect(await audit(page)).toEqual([]);
    await epsilons.fill('0.01, 0');
    await epsilons.press('Enter');
    await page.waitForURL(/\/jobs$/);
    const runs = page.getByRole('list', { name: 'Runs of the sweep' });
    await expect(runs.getByRole('link')).toHaveText(['epsilon 0', 'epsilon 0.01']);
    await expect(runs.getByText('done')).toHaveCount(2, { timeout: LONG });
    await expect(page.locator('tbody tr')).toHaveCount(7);
    await expect(page.locator('tbody tr').first()).toContainText('Sweep');
  },
  LONG * 2,
);

step(
  'has no sideways scroll, nameless control or faint text at any width, light or dark',
  async () => {
    const study = await database.prisma.study.findFirstOrThrow();
    const run = await database.prisma.run.findFirstOrThrow({ where: { method: 'robust' } });
    const addresses = ['/', '/?finding=Mass', '/runs', `/runs/${run.id}`, '/studies', `/studies/${study.id}`, '/jobs'];
    const found: string[] = [];
    for (const [scheme, width] of [
      ['light', 390],
      ['dark', 390],
      ['light', 1280],
      ['dark', 2560],
    ] as const) {
      const one = await open(scheme, width);
      for (const address of addresses) {
        await visit(one, address);
        found.push(...(await audit(one)).map((problem) => `${scheme} ${width} ${address}: ${problem}`));
      }
      await one.context().close();
    }
    expect(found).toEqual([]);
  },
  LONG,
);

step('is reached by keyboard alone: the skip link, the pages, the theme', async () => {
  await visit(page, '/runs');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  for (const name of ['CXR Lens', 'Compare', 'Runs', 'Studies', 'Jobs', 'Upload']) {
    await page.keyboard.press('Tab');
    await expect(page.locator(':focus')).toHaveText(name);
  }
  await page.keyboard.press('Tab');
  for (const theme of ['light', 'dark']) {
    await page.keyboard.press('Enter');
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
  }
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

step('says what is not there, and what to do when nobody answers', async () => {
  for (const address of ['/runs/nothing', '/studies/nothing', '/nothing']) {
    await visit(page, address);
    await expect(page.locator('main h2'), address).toContainText(/There is no/);
  }
  complaints.splice(0);
  await page.route('**/graphql', (route) => route.abort());
  await page.goto(`${site}/runs`);
  await expect(page.getByRole('alert').filter({ hasText: 'UNAVAILABLE' })).toContainText('npx --no cxr-lens doctor');
  await page.unroute('**/graphql');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('tbody tr')).toHaveCount(5);
  complaints.splice(0);
});

step('draws one protocol at a time and says what stands apart; a run page draws each of its own', async () => {
  const { dataSet, runs } = measuredRows();
  await database.prisma.dataSet.create({ data: dataSet });
  for (const data of runs) await database.prisma.run.create({ data });
  await drawsProtocolsApart(page, (address) => visit(page, address));
});

step('offers the recipe that a network was published with, and the fold of a run that trains on boxes', () =>
  offersRecipeAndFold(page, (address) => visit(page, address)),
);
