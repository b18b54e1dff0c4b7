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
    [
      'cost',
      '{ studies(first: 100) { edges { node { images { explanations { cam { values } run { epochs { trainLoss } evaluations { localization { points { accuracy } } } } } } } } } }',
    ],
  ])('refuses a question beyond its %s', async (_what, query) => {
    const { data, errors } = await api.ask(query);
    expect(data ?? null).toBeNull();
    expect(errors![0]!.extensions.code).toBe('BAD_INPUT');
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
