import { existsSync } from 'node:fs';
import path from 'node:path';
import { cxrHome, getObject } from '@cxr-lens/data';
import type { DataSet, Image, Run } from '@cxr-lens/prisma';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataSet, makeExplanations, makeRun, noisePng, startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
let dataSet: DataSet;
let baseline: Run;

async function upload(seed: number): Promise<Image> {
  const body = new Uint8Array(await noisePng(seed));
  const response = await fetch(`${api.url}/studies`, { method: 'POST', headers: { 'content-type': 'image/png' }, body });
  const { studies } = (await response.json()) as { studies: { images: { id: string }[] }[] };
  return api.prisma.image.findUniqueOrThrow({ where: { id: studies[0]!.images[0]!.id } });
}

beforeAll(async () => {
  api = await startTestApi();
  dataSet = await makeDataSet(api.prisma);
  baseline = await makeRun(api.prisma, 'baseline', { id: 'demo-baseline', dataSetId: dataSet.id });
});
afterAll(() => api.stop());

const codeOf = async (query: string, variables = {}): Promise<string | undefined> =>
  (await api.ask(query, variables)).errors?.[0]?.extensions.code;

describe('explainImage', () => {
  it('queues the active finished runs and all findings, or those asked for', async () => {
    const image = await upload(1);
    const other = await makeRun(api.prisma, 'robust', { id: 'other', active: false });
    const query = `mutation ($id: ID!, $runs: [ID!], $findings: [FindingName!]) { explainImage(imageId: $id, runs: $runs, findings: $findings) { id kind state image { id } progress { done } events { message } } }`;
    const all = await api.ask<{ explainImage: { id: string } }>(query, { id: image.id });
    expect(all.data.explainImage).toMatchObject({ kind: 'EXPLAIN', state: 'QUEUED', image: { id: image.id }, progress: null });
    const some = await api.ask<{ explainImage: { id: string } }>(query, { id: image.id, runs: [other.id, other.id], findings: ['Hernia'] });
    const rows = await api.prisma.job.findMany({
      where: { id: { in: [all.data.explainImage.id, some.data.explainImage.id] } },
      orderBy: { createdAt: 'asc' },
    });
    expect(rows.map(({ input }) => input)).toMatchObject([{ runIds: ['demo-baseline'] }, { runIds: ['other'], findings: ['Hernia'] }]);
  });

  it.each([
    ['an image that is not there', '(imageId: "none")', 'NOT_FOUND'],
    ['a run that is not there', '(imageId: "IMAGE", runs: ["none"])', 'NOT_FOUND'],
    ['a run that trains', '(imageId: "IMAGE", runs: ["training"])', 'CONFLICT'],
    ['no finding', '(imageId: "IMAGE", findings: [])', 'BAD_INPUT'],
  ])('%s is refused', async (_what, args, code) => {
    const image = await upload(2);
    await api.prisma.run.upsert({
      where: { id: 'training' },
      create: { id: 'training', name: 'x', method: 'baseline', preset: 'small', state: 'TRAINING', seed: 0, options: {}, path: '/nowhere' },
      update: {},
    });
    expect(await codeOf(`mutation { explainImage${args.replace('IMAGE', image.id)} { id } }`)).toBe(code);
  });
});

describe('trainRun', () => {
  const query =
    'mutation ($input: TrainInput!) { trainRun(input: $input) { id kind state run { id name state method { name } preset seed epsilon parent { id } options { name value } } } }';

  it('queues a run that can be looked at from then on', async () => {
    const input = {
      method: 'ROBUST',
      dataSet: dataSet.id,
      fromRun: 'demo-baseline',
      seed: 3,
      epsilon: 0.01,
      name: 'My robust',
      options: { maxEpochs: 2 },
    };
    const { data, errors } = await api.ask<{ trainRun: { id: string; run: { id: string; options: unknown[] } } }>(query, { input });
    expect(errors).toBeUndefined();
    expect(data.trainRun).toMatchObject({ kind: 'TRAIN', state: 'QUEUED' });
    const { run } = data.trainRun;
    expect(run).toMatchObject({
      name: 'My robust',
      state: 'TRAINING',
      method: { name: 'ROBUST' },
      preset: 'small',
      seed: 3,
      epsilon: 0.01,
    });
    expect(run.id).toMatch(/^robust-small-\d{8}-\d{6}-[0-9a-f]{4}$/);
    expect(run.options).toContainEqual({ name: 'maxEpochs', value: 2 });
    const again = await api.ask(`{ run(id: "${run.id}") { job { id kind } } }`);
    expect(again.data).toEqual({ run: { job: { id: data.trainRun.id, kind: 'TRAIN' } } });
  });

  it.each([
    ['an unknown data set', { method: 'BASELINE', dataSet: 'none' }, 'NOT_FOUND'],
    ['an unknown run to start from', { method: 'ROBUST', fromRun: 'none' }, 'NOT_FOUND'],
    ['an unknown preset', { method: 'BASELINE', preset: 'huge' }, 'BAD_INPUT'],
    ['an unknown option', { method: 'BASELINE', options: { speed: 2 } }, 'BAD_INPUT'],
    ['an option out of range', { method: 'BASELINE', options: { batchSize: 0 } }, 'BAD_INPUT'],
    ['options that are no object', { method: 'BASELINE', options: 'fast' }, 'BAD_INPUT'],
    ['epsilon for Baseline', { method: 'BASELINE', epsilon: 0.5 }, 'BAD_INPUT'],
    ['a preset of another size', { method: 'BASELINE', preset: 'paper' }, 'BAD_INPUT'],
    ['an unknown method', { method: 'MAGIC' }, 'BAD_INPUT'],
  ])('%s is refused, and no run is left behind', async (_what, input, code) => {
    const runs = await api.prisma.run.count();
    expect(await codeOf(query, { input: { dataSet: dataSet.id, ...input } })).toBe(code);
    expect(await api.prisma.run.count()).toBe(runs);
  });
});

describe('evaluateRun', () => {
  it('takes the data set of the run, or another', async () => {
    const other = await makeDataSet(api.prisma, { name: 'other' });
    const query = 'mutation ($dataSet: ID) { evaluateRun(id: "demo-baseline", dataSet: $dataSet) { id kind } }';
    const own = await api.ask(query);
    const second = await api.ask(query, { dataSet: other.id });
    expect(own.data).toMatchObject({ evaluateRun: { kind: 'EVALUATE' } });
    const rows = await api.prisma.job.findMany({ where: { kind: 'EVALUATE' }, orderBy: { createdAt: 'asc' } });
    expect(rows.map(({ input }) => (input as { dataSetId: string }).dataSetId)).toEqual([dataSet.id, other.id]);
    expect(second.errors).toBeUndefined();
  });

  it('refuses what cannot be evaluated', async () => {
    await makeRun(api.prisma, 'baseline', { id: 'lost', active: false });
    expect(await codeOf('mutation { evaluateRun(id: "none") { id } }')).toBe('NOT_FOUND');
    expect(await codeOf('mutation { evaluateRun(id: "lost") { id } }')).toBe('BAD_INPUT');
    expect(await codeOf('mutation { evaluateRun(id: "demo-baseline", dataSet: "none") { id } }')).toBe('NOT_FOUND');
    expect(await codeOf('mutation { evaluateRun(id: "training") { id } }')).toBe('CONFLICT');
  });
});

describe('cancelJob', () => {
  it('cancels once, and leaves what has ended', async () => {
    const image = await upload(3);
    const { data } = await api.ask<{ explainImage: { id: string } }>(`mutation { explainImage(imageId: "${image.id}") { id } }`);
    const query = `mutation { cancelJob(id: "${data.explainImage.id}") { state finishedAt } }`;
    expect((await api.ask(query)).data).toMatchObject({ cancelJob: { state: 'CANCELLED', finishedAt: expect.any(String) } });
    expect((await api.ask(query)).data).toMatchObject({ cancelJob: { state: 'CANCELLED' } });
    expect(await codeOf('mutation { cancelJob(id: "00000000-0000-4000-8000-000000000000") { id } }')).toBe('NOT_FOUND');
    expect(await codeOf('mutation { cancelJob(id: "none") { id } }')).toBe('NOT_FOUND');
    const { data: listed } = await api.ask(
      '{ jobs(first: 1) { totalCount edges { node { id state image { id } run { id } error { code message } } } } }',
    );
    expect(listed).toMatchObject({
      jobs: { edges: [{ node: { id: data.explainImage.id, state: 'CANCELLED', image: { id: image.id } } }] },
    });
  });
});

describe('activateRun', () => {
  it('takes the place of the other runs of its method alone', async () => {
    await makeRun(api.prisma, 'robust', { id: 'robust-1' });
    await makeRun(api.prisma, 'baseline', { id: 'second', active: false });
    const { data } = await api.ask('mutation { activateRun(id: "second") { id active } }');
    expect(data).toEqual({ activateRun: { id: 'second', active: true } });
    const active = await api.prisma.run.findMany({ where: { active: true }, orderBy: { id: 'asc' } });
    expect(active.map(({ id }) => id)).toEqual(['robust-1', 'second']);
    expect(await codeOf('mutation { activateRun(id: "none") { id } }')).toBe('NOT_FOUND');
    expect(await codeOf('mutation { activateRun(id: "training") { id } }')).toBe('CONFLICT');
  });

  it('is undone by deactivateRun, as often as one likes', async () => {
    await makeRun(api.prisma, 'robust', { id: 'in-use' });
    for (let time = 0; time < 2; time++) {
      const { data } = await api.ask('mutation { deactivateRun(id: "in-use") { id active } }');
      expect(data).toEqual({ deactivateRun: { id: 'in-use', active: false } });
    }
    expect(await codeOf('mutation { deactivateRun(id: "none") { id } }')).toBe('NOT_FOUND');
  });

  it('refuses a run whose validation loss exploded, with what happened, until it is said that it shall be used', async () => {
    const epochs = { create: [{ epoch: 2, trainLoss: 70, validationLoss: 3.6e11, seconds: 1 }] };
    await makeRun(api.prisma, 'chexnet', { id: 'healthy', epochs: { create: [{ ...epochs.create[0]!, validationLoss: 9 }] } });
    await makeRun(api.prisma, 'chexnet', { id: 'exploded', active: false, epochs });
    const { data: told } = await api.ask('{ exploded: run(id: "exploded") { exploded } healthy: run(id: "healthy") { exploded } }');
    const sentence = expect.stringMatching(/^The validation loss exploded: 3\.600e\+11 at the best epoch \(2\)/);
    expect(told).toEqual({ exploded: { exploded: sentence }, healthy: { exploded: null } });
    for (const given of ['', ', evenIfExploded: false', ', evenIfExploded: null']) {
      const { errors } = await api.ask(`mutation { activateRun(id: "exploded"${given}) { id } }`);
      expect(errors).toMatchObject([
        { message: expect.stringMatching(/validation loss exploded.*evenIfExploded: true/), extensions: { code: 'CONFLICT' } },
      ]);
    }
    expect(await api.prisma.run.findUnique({ where: { id: 'healthy' } })).toMatchObject({ active: true });
    const { data } = await api.ask('mutation { activateRun(id: "exploded", evenIfExploded: true) { id active exploded } }');
    expect(data).toEqual({ activateRun: { id: 'exploded', active: true, exploded: sentence } });
    expect(await api.prisma.run.findUnique({ where: { id: 'healthy' } })).toMatchObject({ active: false });
  });
});

describe('deleteStudy', () => {
  const stored = (key: string): Promise<boolean> =>
    getObject(key).then(
      () => true,
      () => false,
    );

  it('takes rows and bytes, but none that another study needs', async () => {
    const image = await upload(4);
    const neighbour = await upload(5);
    await makeExplanations(api.prisma, image, baseline);
    await makeExplanations(api.prisma, neighbour, baseline); // the same maps, so the same objects
    const { camKey } = await api.prisma.explanation.findFirstOrThrow({ where: { imageId: image.id } });
    const { data } = await api.ask(`mutation { deleteStudy(id: "${image.studyId}") }`);
    expect(data).toEqual({ deleteStudy: true });
    expect(await api.prisma.explanation.count({ where: { imageId: image.id } })).toBe(0);
    expect([await stored(image.objectKey), await stored(neighbour.objectKey), await stored(camKey)]).toEqual([false, true, true]);
    expect(await api.prisma.job.count({ where: { imageId: image.id } })).toBe(0);
    await api.ask(`mutation { deleteStudy(id: "${neighbour.studyId}") }`);
    expect(await stored(camKey)).toBe(false);
    expect(existsSync(path.join(cxrHome(), 'objects'))).toBe(true);
    expect(await codeOf(`mutation { deleteStudy(id: "${image.studyId}") }`)).toBe('NOT_FOUND');
    const again = await upload(4);
    expect(await stored(again.objectKey)).toBe(true);
  });
});

describe('what nobody expected', () => {
  it('is masked, and logged once with the request id', async () => {
    await api.prisma.$executeRaw`ALTER TABLE "KnownBox" RENAME TO "Gone"`;
    const image = await upload(5).catch(() => api.prisma.image.findFirstOrThrow());
    const before = api.logs.length;
    const { errors } = await api.ask(`{ image(id: "${image.id}") { boxes { box { x } } } }`);
    await api.prisma.$executeRaw`ALTER TABLE "Gone" RENAME TO "KnownBox"`;
    const { code, requestId } = errors![0]!.extensions;
    expect(code).toBe('INTERNAL');
    expect(JSON.stringify(errors)).not.toMatch(/KnownBox|prisma|stack/i);
    const logged = api.logs.slice(before).filter((line) => line['msg'] === 'unexpected error');
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({ requestId, err: { stack: expect.any(String) } });
  });
});
