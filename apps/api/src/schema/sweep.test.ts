import type { DataSet } from '@cxr-lens/prisma';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataSet, makeRun, startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
let dataSet: DataSet;

beforeAll(async () => {
  api = await startTestApi();
  dataSet = await makeDataSet(api.prisma);
  const data = { dataSetId: dataSet.id, active: false };
  await makeRun(api.prisma, 'baseline', { id: 'demo-baseline', ...data });
  await makeRun(api.prisma, 'baseline', { id: 'young', state: 'TRAINING', ...data });
  await makeRun(api.prisma, 'baseline', { id: 'large', preset: 'paper', ...data });
  await makeRun(api.prisma, 'robust', { id: 'demo-robust', ...data });
  await makeRun(api.prisma, 'baseline', { id: 'lost', active: false });
});
afterAll(() => api.stop());

interface SweepJob {
  id: string;
  state: string;
  resumable: boolean;
  parts: { id: string; state: string; run: { id: string; name: string; epsilon: number; state: string } }[];
}

const FIELDS = `id kind state resumable error { code message } progress { what done total } run { id }
  parts { id kind state parts { id } run { id name epsilon seed state preset method { name } parent { id } options { name value } } }`;
const SWEEP = `mutation ($input: SweepInput!) { sweepEpsilon(input: $input) { ${FIELDS} } }`;

async function sweep(input: object): Promise<SweepJob> {
  const { data, errors } = await api.ask<{ sweepEpsilon: SweepJob }>(SWEEP, { input });
  expect(errors).toBeUndefined();
  return data.sweepEpsilon;
}

const change = async (mutation: 'cancelJob' | 'resumeJob', id: string) =>
  api.ask<Record<string, SweepJob>>(`mutation ($id: ID!) { ${mutation}(id: $id) { ${FIELDS} } }`, { id });

describe('sweepEpsilon', () => {
  it('queues the epsilons of Fig. 4 as one job, each a Robust run from the Baseline', async () => {
    const job = await sweep({ fromRun: 'demo-baseline', name: 'Figure 4', seed: 3, options: { maxEpochs: 2 } });
    expect(job).toMatchObject({ kind: 'SWEEP', state: 'QUEUED', resumable: false, error: null, run: { id: 'demo-baseline' } });
    expect(job).toMatchObject({ progress: { what: 'Runs trained', done: 0, total: 6 } });
    expect(job.parts).toMatchObject(
      [0, 0.001, 0.002, 0.005, 0.01, 0.02].map((epsilon) => ({
        kind: 'TRAIN',
        state: 'QUEUED',
        parts: [],
        run: {
          name: `Figure 4 ${epsilon}`,
          epsilon,
          seed: 3,
          state: 'TRAINING',
          preset: 'small',
          method: { name: 'ROBUST' },
          parent: { id: 'demo-baseline' },
          options: expect.arrayContaining([{ name: 'maxEpochs', value: 2 }]),
        },
      })),
    );
    expect(job.parts[1]!.run.id).toMatch(/^sweep-\d{8}-\d{6}-[0-9a-f]{4}-0\.001$/);
    const { data } = await api.ask('{ sweepEpsilons jobs { totalCount edges { node { id } } } }');
    expect(data).toEqual({
      sweepEpsilons: [0, 0.001, 0.002, 0.005, 0.01, 0.02],
      jobs: { totalCount: 1, edges: [{ node: { id: job.id } }] },
    });
    const own = await api.ask(`{ run(id: "${job.parts[0]!.run.id}") { job { id kind } } demo: run(id: "demo-baseline") { job { id } } }`);
    expect(own.data).toEqual({ run: { job: { id: job.parts[0]!.id, kind: 'TRAIN' } }, demo: { job: null } });
  });

  it('is cancelled as one and resumed as one, told to whoever follows it', async () => {
    const job = await sweep({ fromRun: 'demo-baseline', epsilons: [0.3, 0] });
    expect(job.parts.map(({ run }) => run.epsilon)).toEqual([0, 0.3]);
    const client = createClient({ url: `${api.url.replace('http', 'ws')}/graphql`, retryAttempts: 0 });
    const seen: string[] = [];
    const following = (async () => {
      const query = `subscription { job(id: "${job.id}") { state } }`;
      for await (const { data } of client.iterate<{ job: { state: string } }>({ query })) seen.push(data!.job.state);
    })();
    await expect.poll(() => seen[0], { timeout: 20_000 }).toBe('QUEUED');
    const cancelled = (await change('cancelJob', job.id)).data['cancelJob']!;
    expect(cancelled).toMatchObject({ state: 'CANCELLED', resumable: true });
    expect(cancelled.parts.map(({ state, run }) => [state, run.state])).toEqual(Array(2).fill(['CANCELLED', 'CANCELLED']));
    await following;
    expect(seen.at(-1)).toBe('CANCELLED');
    await client.dispose();

    const resumed = (await change('resumeJob', job.id)).data['resumeJob']!;
    expect(resumed).toMatchObject({ state: 'QUEUED', resumable: false });
    expect(resumed.parts.map(({ state, run }) => [state, run.state])).toEqual(Array(2).fill(['QUEUED', 'TRAINING']));
    expect((await change('resumeJob', job.id)).errors).toMatchObject([
      {
        message: `Job ${job.id} (SWEEP) is QUEUED: only drawing, a training or a sweep that failed or was cancelled goes on where it was.`,
        extensions: { code: 'CONFLICT' },
      },
    ]);
    const part = (await change('cancelJob', job.parts[0]!.id)).data['cancelJob']!;
    expect(part).toMatchObject({ kind: 'TRAIN', state: 'CANCELLED' });
    const { data } = await api.ask(`{ job(id: "${job.id}") { state } }`);
    expect(data).toEqual({ job: { state: 'RUNNING' } });
  });

  const expected = 'expected numbers from 0 to 1 in pixels of [0, 1], each once, for example 0,0.005,0.01';
  it.each<[string, object, string, string]>([
    ['a negative epsilon', { epsilons: [0, -0.1] }, 'BAD_INPUT', `Epsilon -0.1 is outside of [0, 1]; ${expected}.`],
    ['two equal ones', { epsilons: [0.01, 0.01] }, 'BAD_INPUT', `Epsilon 0.01 is given twice; ${expected}.`],
    ['none', { epsilons: [] }, 'BAD_INPUT', `No epsilon to train with; ${expected}.`],
    [
      'too many',
      { epsilons: Array.from({ length: 21 }, (_, index) => index / 100) },
      'BAD_INPUT',
      'sweepEpsilon: input.epsilons is a list of 21: expected at most 20 epsilons.',
    ],
    [
      'epsilon among the options',
      { options: { epsilon: 0.1 } },
      'BAD_INPUT',
      'Option epsilon: every run of a sweep has its own; put it into the list of epsilons.',
    ],
    [
      'a perturbation without epsilon',
      { options: { perturbation: 'spatial' } },
      'BAD_INPUT',
      'Option perturbation: spatial has no epsilon, so that all runs would be one; use linf, l2 or noise.',
    ],
    ['an option out of range', { options: { patience: 0 } }, 'BAD_INPUT', 'Option patience: Too small: expected number to be >=1.'],
    ['a run that is not there', { fromRun: 'none' }, 'NOT_FOUND', 'There is no run none.'],
    ['a Baseline that has not converged', { fromRun: 'young' }, 'CONFLICT', 'Run young is training: wait until it is finished.'],
    [
      'a run that is no Baseline',
      { fromRun: 'demo-robust' },
      'BAD_INPUT',
      'Robust (small) starts from a Baseline run of the same preset; run demo-robust is robust (small).',
    ],
    [
      'a Baseline of another preset than its data set',
      { fromRun: 'large' },
      'BAD_INPUT',
      'Data set phantom-96 has images of 96 pixels, preset paper takes 224: prepare it with --size 224.',
    ],
    [
      'a Baseline whose data set is not known here',
      { fromRun: 'lost' },
      'BAD_INPUT',
      'The data set of run lost is not registered here: register its prepared file.',
    ],
  ])('%s is refused, and nothing is queued', async (_what, input, code, message) => {
    const count = () => Promise.all([api.prisma.job.count(), api.prisma.run.count()]);
    const before = await count();
    const { errors } = await api.ask(SWEEP, { input: { fromRun: 'demo-baseline', ...input } });
    expect(errors).toMatchObject([{ message, extensions: { code } }]);
    expect(await count()).toEqual(before);
  });

  it('takes numbers alone', async () => {
    const { errors } = await api.ask(SWEEP, { input: { fromRun: 'demo-baseline', epsilons: ['small'] } });
    expect(errors).toMatchObject([{ message: expect.stringContaining('Float cannot represent non numeric value: "small"') }]);
  });
});
