import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataSet, startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const PLAIN = 'expected at most 256 characters, none of them a control character.';
const NUL = 'a\0b';
const ids = (count: number): string[] => Array.from({ length: count }, (_, at) => `run-${at}`);

/** The message of the one error of the answer, which must be BAD_INPUT. */
async function refusal(query: string, t: unknown): Promise<string> {
  const { errors } = await api.ask(query, { t });
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_INPUT']);
  return errors![0]!.message;
}

describe('texts that no row can have', () => {
  it.each([
    ['query ($t: ID!) { run(id: $t) { id } }', 'run: id'],
    ['query ($t: ID!) { job(id: $t) { id } }', 'job: id'],
    ['query ($t: ID!) { image(id: $t) { id } }', 'image: id'],
    ['query ($t: ID!) { runs(dataSet: $t) { totalCount } }', 'runs: dataSet'],
    ['query ($t: ID!) { comparison(finding: Mass, runs: ["x", $t]) { statement } }', 'comparison: runs[1]'],
    ['query ($t: String!) { comparison(finding: Mass, protocol: $t) { statement } }', 'comparison: protocol'],
    ['query ($t: ID!) { comparisons(dataSet: $t) { statement } }', 'comparisons: dataSet'],
    ['query ($t: ID!) { study(id: $t) { id } }', 'study: id'],
    ['query ($t: String!) { study(accessionNumber: $t) { id } }', 'study: accessionNumber'],
    ['query ($t: String!) { study(studyInstanceUid: $t) { id } }', 'study: studyInstanceUid'],
    ['query ($t: String!) { studies(filter: { text: $t }) { totalCount } }', 'studies: filter.text'],
    ['query ($t: ID!) { studies { edges { node { images { explanations(runs: [$t]) { id } } } } } }', 'explanations: runs[0]'],
    ['mutation ($t: ID!) { explainImage(imageId: $t) { id } }', 'explainImage: imageId'],
    ['mutation ($t: ID!) { explainImage(imageId: "x", runs: [$t]) { id } }', 'explainImage: runs[0]'],
    ['mutation ($t: ID!) { trainRun(input: { method: BASELINE, dataSet: $t }) { id } }', 'trainRun: input.dataSet'],
    ['mutation ($t: ID!) { trainRun(input: { method: ROBUST, dataSet: "x", fromRun: $t }) { id } }', 'trainRun: input.fromRun'],
    ['mutation ($t: String!) { trainRun(input: { method: BASELINE, dataSet: "x", name: $t }) { id } }', 'trainRun: input.name'],
    ['mutation ($t: ID!) { evaluateRun(id: $t) { id } }', 'evaluateRun: id'],
    ['mutation ($t: ID!) { evaluateRun(id: "x", dataSet: $t) { id } }', 'evaluateRun: dataSet'],
    ['mutation ($t: ID!) { cancelJob(id: $t) { id } }', 'cancelJob: id'],
    ['mutation ($t: ID!) { activateRun(id: $t) { id } }', 'activateRun: id'],
    ['mutation ($t: ID!) { deactivateRun(id: $t) { id } }', 'deactivateRun: id'],
    ['mutation ($t: ID!) { deleteStudy(id: $t) }', 'deleteStudy: id'],
  ])('%s', async (query, where) => {
    expect(await refusal(query, NUL)).toBe(`${where} is "a\\u0000b": ${PLAIN}`);
    expect(await refusal(query, 'x'.repeat(1000))).toContain(`${where} is "${'x'.repeat(60)}"..., 1000 characters: `);
    expect(await refusal(query, '\ud800')).toBe(`${where} is "\\ud800": ${PLAIN}`);
  });
});

it('of one field leave the others their answers', async () => {
  const { data, errors } = await api.ask('{ viewer { name } run(id: "a\\nb") { id } }');
  expect(data).toEqual({ viewer: { name: 'local' }, run: null });
  expect(errors).toMatchObject([{ message: `run: id is "a\\nb": ${PLAIN}`, path: ['run'] }]);
});

describe('what a list is asked for', () => {
  const RUNS = 'query ($t: String) { runs(after: $t) { totalCount edges { cursor } } }';
  const CURSOR = 'expected a cursor, as an edge or pageInfo gives it.';

  it.each([
    ['what', RUNS],
    ['no base64', RUNS],
    ['', RUNS],
    [btoa('GPC:S:'), RUNS],
    [btoa(`GPC:S:${NUL}`), RUNS],
    [btoa('GPC:N:5'), RUNS], // no list is ordered by a number
    [btoa(`GPC:S:${'x'.repeat(257)}`), RUNS],
    ['what', RUNS.replace('after:', 'before:')],
  ])('after "%s"', async (cursor, query) => {
    expect(await refusal(query, cursor)).toMatch(/^runs: (after|before) is "/);
    expect(await refusal(query, cursor)).toContain(CURSOR);
  });

  it.each([
    ['{ jobs(first: -1) { totalCount } }', 'jobs: first is -1: expected 0 or more.'],
    ['{ studies(last: -5) { totalCount } }', 'studies: last is -5: expected 0 or more.'],
    ['{ runs(first: 1, last: 1) { totalCount } }', 'runs: give first and after to go on, or last and before to go back.'],
    [
      `{ jobs(first: 1, before: "${btoa('GPC:S:x')}") { totalCount } }`,
      'jobs: give first and after to go on, or last and before to go back.',
    ],
  ])('%s', async (query, message) => {
    expect(await refusal(query, null)).toBe(message);
  });

  it('may be more than a page has, or nothing', async () => {
    const { data, errors } = await api.ask('{ runs(first: 500) { totalCount } none: runs(first: 0) { edges { cursor } } }');
    expect(errors).toBeUndefined();
    expect(data).toEqual({ runs: { totalCount: 0 }, none: { edges: [] } });
  });
});

describe('lists of runs and findings, and the names of a study', () => {
  it.each([
    [
      'query ($t: [ID!]) { comparison(finding: Mass, runs: $t) { statement } }',
      ids(21),
      'comparison: runs is a list of 21: too many to compare; expected at most 20.',
    ],
    [
      'query ($t: [ID!]) { image(id: "x") { explanations(runs: $t, findings: []) { id } } }',
      ids(101),
      'explanations: runs is a list of 101: expected at most 100 runs.',
    ],
    [
      'query ($t: [FindingName!]) { image(id: "x") { explanations(findings: $t) { id } } }',
      Array(15).fill('Mass'),
      'explanations: findings is a list of 15: expected at most 14 findings.',
    ],
    [
      'mutation ($t: [ID!]) { explainImage(imageId: "x", runs: $t) { id } }',
      [],
      'explainImage: runs is a list of 0: name at least one, or leave it out for all that are in use.',
    ],
    [
      'mutation ($t: [FindingName!]) { explainImage(imageId: "x", findings: $t) { id } }',
      [],
      'explainImage: findings is a list of 0: name at least one, or leave it out for all 14.',
    ],
    [
      'query ($t: ID) { study(id: $t, accessionNumber: "y") { id } }',
      'x',
      'study: give exactly one of id, studyInstanceUid and accessionNumber.',
    ],
    ['query ($t: ID) { study(id: $t) { id } }', null, 'study: give exactly one of id, studyInstanceUid and accessionNumber.'],
  ])('%s', async (query, t, message) => {
    expect(await refusal(query, t)).toBe(message);
  });
});

describe('a training with a seed that no row can have', () => {
  it.each([2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER])('%d', async (seed) => {
    const { id } = await makeDataSet(api.prisma);
    const query = 'mutation ($t: TrainInput!) { trainRun(input: $t) { id } }';
    const message = `Option seed: ${seed} is too large; expected at most 2147483647.`;
    expect(await refusal(query, { method: 'BASELINE', dataSet: id, preset: 'small', options: { seed } })).toBe(message);
  });
});

describe('a training', () => {
  it.each([
    [{ preset: 'huge' }, 'trainRun: input.preset is "huge": expected paper or small.'],
    [{ name: 'x'.repeat(201) }, `trainRun: input.name is "${'x'.repeat(60)}"..., 201 characters: expected at most 200 characters.`],
    [{ seed: -1 }, 'trainRun: input.seed is -1: Too small: expected number to be >=0.'],
    [{ epsilon: 2 }, 'trainRun: input.epsilon is 2: Too big: expected number to be <=1.'],
    [
      { options: 'fast' },
      'trainRun: input.options is "fast": expected an object of option names and values, for example { "maxEpochs": 10 }.',
    ],
    [
      { options: [1] },
      'trainRun: input.options is a list of 1: expected an object of option names and values, for example { "maxEpochs": 10 }.',
    ],
  ])('%j', async (given, message) => {
    const query = 'mutation ($t: TrainInput!) { trainRun(input: $t) { id } }';
    expect(await refusal(query, { method: 'BASELINE', dataSet: 'x', ...given })).toBe(message);
  });
});
