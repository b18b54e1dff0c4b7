import { expect, type Page } from '@playwright/test';
import { audit } from './audit.ts';

const HASH = 'f'.repeat(64);
const MEASURED = { baseline: ['paper'], nih: ['paper', 'nih'], supervised: ['patches'], generative: ['paper'] };

/** Rows alone: what training and evaluating methods of three protocols would leave. */
export function measuredRows() {
  const dataSet = {
    ...{ id: 'measured', name: 'protocols-96', path: '/nowhere', size: 96, synthetic: true, datasetHash: HASH, splitHash: HASH },
    ...{ preprocessingVersion: 'v1', trainImages: 8, validationImages: 1, testImages: 2, boxedPairs: 2 },
  };
  const of = { dataSetId: dataSet.id, datasetHash: HASH, weightsSha256: HASH, seed: 0 };
  const runs = Object.entries(MEASURED).map(([method, protocols]) => {
    const id = `measured-${method}`;
    const excludedPatients = method === 'supervised' ? 8 : 0;
    const evaluations = { create: protocols.map((protocol) => ({ ...of, images: 2, excludedPatients, ...resultsBy(protocol) })) };
    return { ...of, id, name: id, method, preset: 'small', state: 'FINISHED' as const, options: {}, path: `/nowhere/${id}`, evaluations };
  });
  return { dataSet, runs };
}

function resultsBy(protocol: string) {
  const points = [0.1, 0.3].map((iouThreshold) => ({ iouThreshold, accuracy: 0.5, falsePositives: protocol === 'nih' ? 1.25 : null }));
  const curve = { finding: 'Mass', kind: 'RUN' as const, label: 'This run', pairs: 2, points: { create: points } };
  const auc = { finding: 'Mass', auc: 0.75, positives: 1, negatives: 1 };
  return { protocol, protocolDescription: `The way of ${protocol}`, auc: { create: [auc] }, localization: { create: [curve] } };
}

type Visit = (address: string) => Promise<void>;

/** No two protocols on one pair of axes, on the compare page and on a run's; what a run left out of its scoring is said. */
export async function drawsProtocolsApart(page: Page, visit: Visit): Promise<void> {
  await visit(`/?runs=${['baseline', 'nih', 'supervised', 'generative'].map((method) => `measured-${method}`).join(',')}`);
  const charts = (name: string) => page.getByRole('region', { name, exact: true }).locator('svg[data-chart]');
  await expect(charts('Localisation accuracy')).toHaveAttribute('aria-label', /by protocol paper.*: Baseline 0\.50.*; NIH 0\.50/);
  await expect(charts('Localisation accuracy')).not.toHaveAttribute('aria-label', /Supervised|Generative/);
  await expect(charts('Localisation accuracy of Generative, apart')).toHaveAttribute('aria-label', /: Generative 0\.50/);
  await expect(page.getByText("Generative is our addition, in none of the paper's figures.").first()).toBeVisible();
  await expect(page.locator('main')).toContainText('Not comparable, measured by two protocols: Supervised over Baseline;');
  await expect(page.locator('main')).toContainText('Supervised: 8 patients of the test split not scored, it had trained on them.');
  expect(await audit(page)).toEqual([]);

  await page.getByRole('button', { name: 'Show protocol patches' }).click();
  await expect(page).toHaveURL(/protocol=patches/);
  await expect(charts('Localisation accuracy')).toHaveAttribute('aria-label', /by protocol patches.*: Supervised 0\.50/);
  await expect(page.locator('main')).toContainText('Protocol patches. The way of patches');
  await page.getByRole('combobox', { name: 'Protocol' }).selectOption('nih');
  await expect(charts('Localisation accuracy')).toHaveAttribute('aria-label', /by protocol nih.*: NIH 0\.50/);
  await page.getByRole('button', { name: 'Enlarge Mass' }).click();
  await expect(page.getByRole('dialog', { name: 'Mass' }).getByRole('cell', { name: '1.25' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('combobox', { name: 'Protocol' }).selectOption('paper');
  await expect(page).not.toHaveURL(/protocol=/);

  await visit('/runs/measured-nih');
  for (const protocol of ['paper', 'nih']) await expect(charts(`Localisation accuracy, protocol ${protocol}`)).toHaveCount(1);
  await visit('/runs/measured-supervised');
  await expect(page.getByRole('region', { name: 'Evaluations' }).first()).toContainText('Patients left out');
  expect(await audit(page)).toEqual([]);
}

/** A method's own choices are in the form while it is chosen. */
export async function offersRecipeAndFold(page: Page, visit: Visit): Promise<void> {
  await visit('/runs');
  await page.getByRole('button', { name: 'Train a run' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Method').selectOption({ label: 'CheXNet' });
  await expect(dialog.getByLabel('Recipe')).toBeVisible();
  await expect(dialog).toContainText('optimiser adam, learningRate 0.001');
  await dialog.getByLabel('Method').selectOption({ label: 'Supervised' });
  await expect(dialog.getByLabel('Recipe')).toHaveCount(0);
  await expect(dialog.getByLabel('Fold').locator('option')).toHaveText(['0', '1', '2', '3', '4']);
  expect(await audit(page)).toEqual([]);
}
