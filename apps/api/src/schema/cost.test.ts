import { createRequire } from 'node:module';
import type { DataSet, Run } from '@cxr-lens/prisma';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataSet, makeEvaluation, makeExplanations, makeRun, startTestApi, type TestApi, uploadNoise } from '../testing.ts';

let api: TestApi;
let dataSet: DataSet;
let robust: Run;
beforeAll(async () => {
  api = await startTestApi();
  dataSet = await makeDataSet(api.prisma);
  const baseline = await makeRun(api.prisma, 'baseline', { dataSetId: dataSet.id, createdAt: new Date('2026-01-01') });
  robust = await makeRun(api.prisma, 'robust', { dataSetId: dataSet.id, id: 'demo-robust', parentId: baseline.id });
  await makeEvaluation(api.prisma, baseline, { dataSet, accuracy: 0.5 });
  await makeEvaluation(api.prisma, robust, { dataSet, accuracy: 0.62 });
  const { image } = await uploadNoise(api, 1);
  await makeExplanations(api.prisma, await api.prisma.image.findUniqueOrThrow({ where: { id: image } }), robust);
});
afterAll(() => api.stop());

describe('limits', () => {
  it.each([
    ['depth', `{ run(id: "x") { ${'parent { '.repeat(20)}id${' }'.repeat(20)} } }`],
    ['aliases', `{ ${Array.from({ length: 60 }, (_, at) => `a${at}: viewer { name }`).join(' ')} }`],
    ['tokens', `{ ${'viewer { name } '.repeat(2000)} }`],
    ['cost', `{ ${Array.from({ length: 20 }, (_, at) => `a${at}: comparisons { statement }`).join(' ')} }`],
  ])('refuses a question beyond its %s', async (_what, query) => {
    const { data, errors } = await api.ask(query);
    expect(data ?? null).toBeNull();
    expect(errors![0]!.extensions.code).toBe('BAD_INPUT');
  });
});

describe('a study of 300 images', () => {
  let id: string;
  beforeAll(async () => {
    const images = Array.from({ length: 300 }, (_, at) => ({
      sopInstanceUid: `1.2.${at}`,
      objectKey: 'a'.repeat(64),
      format: 'png',
      width: 8,
      height: 8,
      fileName: `${at}.png`,
      createdAt: new Date(2026, 0, 1, 0, at),
    }));
    id = (await api.prisma.study.create({ data: { studyInstanceUid: '1.2.300', images: { create: images } } })).id;
  });
  afterAll(async () => void (await api.prisma.study.delete({ where: { id } })));

  it('costs what it has', async () => {
    const { data, errors } = await api.ask<{ study: { images: { fileName: string; study: { imageCount: number } }[] } }>(
      'query ($id: ID!) { study(id: $id) { images { fileName study { imageCount } } } }',
      { id },
    );
    expect(errors).toBeUndefined();
    expect(data.study.images.map(({ fileName }) => fileName)).toEqual(Array.from({ length: 300 }, (_, at) => `${at}.png`));
    expect(data.study.images.every(({ study }) => study.imageCount === 300)).toBe(true);
  });

  it('gives as many as are asked for, at each place', async () => {
    const { data, errors } = await api.ask(
      'query ($id: ID!) { study(id: $id) { images(first: 2) { fileName study { images(first: 1) { fileName } none: images(first: 0) { id } } } } }',
      { id },
    );
    expect(errors).toBeUndefined();
    const study = { images: [{ fileName: '0.png' }], none: [] };
    expect(data).toEqual({ study: { images: ['0.png', '1.png'].map((fileName) => ({ fileName, study })) } });
  });

  it.each([2, 3, 5])('is not asked for %d times over: one error, within a second, and the API answers meanwhile', async (times) => {
    const nested = `${'images { study { '.repeat(times + 1)}id${' } }'.repeat(times + 1)}`;
    const asked = api.ask(`query ($id: ID!) { study(id: $id) { ${nested} } }`, { id });
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    const { data, errors } = await asked;
    expect(data).toEqual({ study: null });
    expect(errors).toHaveLength(1);
    expect(errors![0]).toMatchObject({ message: expect.stringContaining('fields: ask for fewer'), extensions: { code: 'BAD_INPUT' } });
    expect((await api.ask('{ viewer { name } }')).data).toEqual({ viewer: { name: 'local' } });
  });

  it('leaves what was answered before', async () => {
    const { data } = await api.ask('query ($id: ID!) { viewer { name } study(id: $id) { images { study { images { study { id } } } } } }', {
      id,
    });
    expect(data).toEqual({ viewer: { name: 'local' }, study: null });
  });
});

describe('values of maps', () => {
  it('are given up to 65,536 numbers a query; above that the error names the address of the map', async () => {
    await api.prisma.explanation.updateMany({ where: { finding: 'Mass' }, data: { saliencyWidth: 300, saliencyHeight: 300 } });
    const { data, errors } = await api.ask<{
      studies: { edges: { node: { images: { explanations: { cam: { values: number[] } }[] }[] } }[] };
    }>('{ studies { edges { node { images { explanations(findings: [Mass]) { cam { values } } } } } } }');
    expect(errors).toBeUndefined();
    expect(data.studies.edges[0]!.node.images[0]!.explanations[0]!.cam.values).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4]);
    const over = await api.ask('{ studies { edges { node { images { explanations(findings: [Mass]) { saliency { values } } } } } } }');
    expect(over.errors).toMatchObject([
      {
        message: expect.stringMatching(/at most 65536 numbers in one query.*GET \/explanations\/.*saliency\.npy/),
        extensions: { code: 'BAD_INPUT' },
      },
    ]);
  });
});

describe('queries of the database', () => {
  // Every statement that the client's driver sends.
  const pg = createRequire(createRequire(import.meta.url).resolve('@cxr-lens/prisma'))('pg') as {
    Client: { prototype: { query: (...args: unknown[]) => unknown } };
  };
  async function statements(query: string): Promise<string[]> {
    const original = pg.Client.prototype.query;
    const sent: string[] = [];
    pg.Client.prototype.query = function counted(...args) {
      const text = typeof args[0] === 'string' ? args[0] : (args[0] as { text: string }).text;
      if (!text.includes('pgboss')) sent.push(text); // the queue looks after itself all the time

      return original.apply(this, args);
    };
    const { errors } = await api.ask(query).finally(() => {
      pg.Client.prototype.query = original;
    });
    expect(errors).toBeUndefined();
    return sent;
  }

  it('do not grow with the rows of a page', async () => {
    const page = `{ studies(first: 50) { totalCount edges { node { studyInstanceUid images { fileName boxes { box { x } } jobs { state events { message } }
      explanations { logit run { name dataSet { name } } evidence { statement } } } } } } runs { edges { node { name dataSet { name } parent { name } job { state } epochs { best } evaluations { meanAuc } } } } }`;
    const few = await statements(page);
    for (let seed = 10; seed < 18; seed += 1) {
      const { image } = await uploadNoise(api, seed);
      await makeExplanations(api.prisma, await api.prisma.image.findUniqueOrThrow({ where: { id: image } }), robust);
      await makeRun(api.prisma, 'baseline', { parentId: 'demo-robust', dataSetId: dataSet.id, active: false });
    }
    const many = await statements(page);
    expect(few.length).toBeGreaterThan(5);
    const table = (text: string): string => /FROM "public"\."(\w+)"/.exec(text)?.[1] ?? text;
    expect(many.map(table).toSorted()).toEqual(few.map(table).toSorted());
  });

  it('of the compare page do not grow with its findings', async () => {
    const of = (field: string) =>
      `{ ${field} { runs { run { id name dataSet { name } epochs { best } } auc { auc } curve { points { accuracy } } } differences { statement run { id } } } }`;
    const one = await statements(of('comparison(finding: Mass)'));
    const all = await statements(of('comparisons'));
    expect(all.length).toBeLessThanOrEqual(one.length + 2);
  });
});
