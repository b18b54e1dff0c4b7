import { FINDINGS } from '@cxr-lens/data';
import type { DataSet, Run } from '@cxr-lens/prisma';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evidenceKey, loadEvidence } from '../evidence.ts';
import { makeDataSet, makeEvaluation, makeRun, startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
let dataSet: DataSet;

const METHODS = ['baseline', 'nih', 'supervised', 'generative'] as const;
const NIH = { name: 'nih', description: 'boxes around regions' };
const PATCHES = { name: 'patches', description: 'patches above 0.5' };

beforeAll(async () => {
  api = await startTestApi();
  dataSet = await makeDataSet(api.prisma);
  const [baseline, nih, supervised, generative] = (await Promise.all(
    METHODS.map((method, index) => makeRun(api.prisma, method, { id: method, createdAt: new Date(Date.UTC(2026, 0, index + 1)) })),
  )) as [Run, Run, Run, Run];
  await makeEvaluation(api.prisma, baseline, { dataSet, accuracy: 0.5 });
  await makeEvaluation(api.prisma, nih, { dataSet, accuracy: 0.4 });
  await makeEvaluation(api.prisma, nih, {
    dataSet,
    accuracy: 0.3,
    protocol: NIH,
    boxes: { falsePositives: 1.5, iobbAccuracy: 0.75, iobbFalsePositives: 0.25 },
  });
  await makeEvaluation(api.prisma, supervised, { dataSet, accuracy: 0.9, protocol: PATCHES, excludedPatients: 8 });
  await makeEvaluation(api.prisma, generative, { dataSet, accuracy: 0.2 });
});
afterAll(() => api.stop());

interface Curve {
  kind: string;
  protocol: { name: string };
  points: { accuracy: number; falsePositives: number | null; iobb: { accuracy: number; falsePositives: number } | null }[];
}

interface ComparedRun {
  run: { id: string };
  evaluation: { protocol: { name: string }; excludedPatients: number } | null;
  auc: { auc: number } | null;
  curve: Curve | null;
}

interface Comparison {
  finding: { name: string };
  protocol: { name: string; description: string };
  runs: ComparedRun[];
  controls: Curve[];
  references: Curve[];
  apart: { protocol: { name: string }; reason: string; runs: ComparedRun[]; controls: Curve[] }[];
  differences: { run: { id: string }; over: { id: string }; value: number | null; verdict: string; statement: string; paired: boolean }[];
  statement: string;
}

const CURVE = 'kind protocol { name } points { accuracy falsePositives iobb { accuracy falsePositives } }';
const RUN = `run { id } evaluation { protocol { name } excludedPatients } auc { auc } curve { ${CURVE} }`;
const FIELDS = `finding { name } protocol { name description } runs { ${RUN} } controls { ${CURVE} } references { ${CURVE} }
  apart { protocol { name } reason runs { ${RUN} } controls { ${CURVE} } }
  differences { run { id } over { id } value verdict statement paired } statement`;

async function compare(protocol?: string, runs: readonly string[] = METHODS): Promise<Comparison> {
  const query = `query ($runs: [ID!], $protocol: String) { comparison(finding: Cardiomegaly, runs: $runs, protocol: $protocol) { ${FIELDS} } }`;
  const { data, errors } = await api.ask<{ comparison: Comparison }>(query, { runs, protocol });
  expect(errors).toBeUndefined();
  return data.comparison;
}

const curves = ({ runs }: Pick<Comparison, 'runs'>) =>
  runs.map(({ run, curve }) => [run.id, curve?.protocol.name, curve?.points[0]?.accuracy]);

describe('a comparison of runs of several protocols', () => {
  it("draws the paper's together, and apart from it Supervised by its own and Generative, each with the controls of its protocol", async () => {
    const comparison = await compare();
    expect(comparison.protocol.name).toBe('paper');
    expect(curves(comparison)).toEqual([
      ['baseline', 'paper', 0.5],
      ['nih', 'paper', 0.4],
      ['supervised', undefined, undefined],
      ['generative', undefined, undefined],
    ]);
    expect(comparison.runs.map(({ auc }) => auc?.auc)).toEqual([0.8, 0.8, 0.8, 0.8]);
    expect(comparison.runs[2]!.evaluation).toEqual({ protocol: { name: 'patches' }, excludedPatients: 8 });
    expect(comparison.apart.map(({ protocol, reason }) => [protocol.name, reason])).toEqual([
      ['paper', "Generative is our addition, in none of the paper's figures."],
      ['patches', 'Supervised: measured by protocol patches.'],
    ]);
    expect(comparison.apart.map(curves)).toEqual([[['generative', 'paper', 0.2]], [['supervised', 'patches', 0.9]]]);
    const sets = [comparison, ...comparison.apart];
    for (const { controls, protocol } of sets)
      expect(controls.map((curve) => curve.protocol.name)).toEqual([protocol.name, protocol.name, protocol.name]);
  });

  it('has the curves of the one protocol that was asked for, with what it alone counts and what was published by it', async () => {
    const comparison = await compare('nih');
    expect(comparison.protocol).toEqual(NIH);
    expect(curves(comparison)).toEqual([
      ['baseline', undefined, undefined],
      ['nih', 'nih', 0.3],
      ['supervised', undefined, undefined],
      ['generative', undefined, undefined],
    ]);
    expect(comparison.apart).toEqual([]);
    expect(comparison.runs[1]!.curve!.points[0]).toEqual({
      accuracy: 0.3,
      falsePositives: 1.5,
      iobb: { accuracy: 0.75, falsePositives: 0.25 },
    });
    expect(comparison.runs.map(({ auc }) => auc?.auc)).toEqual([0.8, 0.8, 0.8, 0.8]);
    expect(comparison.controls.map(({ protocol, points }) => [protocol.name, points[0]!.iobb])).toEqual([
      ['nih', null],
      ['nih', null],
      ['nih', null],
    ]);
    expect(comparison.references.map(({ protocol, points }) => [protocol.name, points[0]!.accuracy])).toEqual([['nih', 0.9383]]);
    expect(comparison.differences).toEqual([]);
  });

  it("is by the own protocol where no run has the paper's", async () => {
    const comparison = await compare(undefined, ['supervised']);
    expect(comparison.protocol).toEqual(PATCHES);
    expect(curves(comparison)).toEqual([['supervised', 'patches', 0.9]]);
    expect(comparison.apart).toEqual([]);
  });

  it('tells no difference between two protocols', async () => {
    const { differences, statement } = await compare(undefined, ['baseline', 'nih', 'supervised']);
    expect(differences.map(({ run, over, verdict }) => [run.id, over.id, verdict])).toEqual([
      ['nih', 'baseline', 'UNDECIDED'],
      ['supervised', 'baseline', 'NOT_COMPARABLE'],
      ['supervised', 'nih', 'NOT_COMPARABLE'],
    ]);
    expect(differences[1]).toMatchObject({ value: null, paired: false });
    expect(differences[1]!.statement).toBe(
      'Not comparable for Cardiomegaly: two protocols. Supervised by protocol patches, Baseline by protocol paper.',
    );
    expect(statement).toContain('Not comparable for Cardiomegaly');
  });

  it('keeps all findings to the same sets', async () => {
    const { data } = await api.ask<{ comparisons: Comparison[] }>(`{ comparisons { ${FIELDS} } }`);
    const boxed = data.comparisons.filter(({ finding }) => ['Cardiomegaly', 'Nodule'].includes(finding.name));
    expect(data.comparisons).toHaveLength(FINDINGS.length);
    for (const { apart } of boxed) expect(apart.map(({ protocol }) => protocol.name)).toEqual(['paper', 'patches']);
  });
});

describe('what runs and methods have', () => {
  it('are the protocols of the evaluations', async () => {
    const query =
      'query ($runs: [ID!], $protocol: String, $dataSet: ID) { protocols(runs: $runs, protocol: $protocol, dataSet: $dataSet) { name description } }';
    const names = async (variables: object) => {
      const { data } = await api.ask<{ protocols: { name: string }[] }>(query, variables as Record<string, unknown>);
      return data.protocols.map(({ name }) => name);
    };
    expect(await names({})).toEqual(['paper', 'nih', 'patches']);
    expect(await names({ runs: ['nih'], dataSet: dataSet.id })).toEqual(['paper', 'nih']);
    expect(await names({ runs: ['supervised'] })).toEqual(['patches']);
    const other = await makeDataSet(api.prisma);
    expect(await names({ dataSet: other.id })).toEqual([]);
    // A comparison by it is of the data that was measured by it, so this list is too.
    const nih = await api.prisma.run.findUniqueOrThrow({ where: { id: 'nih' } });
    const elsewhere = { dataSet: other, accuracy: 0.1, protocol: { name: 'elsewhere', description: 'on other data alone' } };
    await makeEvaluation(api.prisma, nih, elsewhere);
    expect(await names({ runs: ['baseline', 'nih'] })).toEqual(['paper', 'nih']);
    expect(await names({ runs: ['baseline', 'nih'], protocol: 'elsewhere' })).toEqual(['elsewhere']);
    await api.prisma.evaluation.deleteMany({ where: { protocol: 'elsewhere' } });
    const { errors } = await api.ask(query, { runs: ['nobody'] });
    expect(errors![0]!.extensions.code).toBe('NOT_FOUND');
  });

  it("is how far to trust a run, by its method's main protocol", async () => {
    const evidence = await loadEvidence(
      api.prisma,
      METHODS.map((method) => evidenceKey(method, 'Cardiomegaly')),
    );
    expect(evidence.map((one) => [one?.protocol, one?.accuracy])).toEqual([
      ['paper', 0.5],
      ['paper', 0.4],
      ['patches', 0.9],
      ['paper', 0.2],
    ]);
    expect(evidence[2]!.statement).toContain('Supervised located Cardiomegaly right in 90 % (80 to 100) of 40 boxed test images');
    expect(evidence[2]!.statement).toContain('at T(IoU) = 0.3 by protocol patches.');
  });

  it('are both evaluations of NIH, each with its curves', async () => {
    const { data } = await api.ask<{ run: { evaluations: { protocol: { name: string }; localization: Curve[] }[] } }>(
      `{ run(id: "nih") { evaluations { protocol { name } localization { ${CURVE} } } } }`,
    );
    expect(data.run.evaluations.map(({ protocol }) => protocol.name).toSorted()).toEqual(['nih', 'paper']);
    for (const { protocol, localization } of data.run.evaluations)
      expect(new Set(localization.map((curve) => curve.protocol.name))).toEqual(new Set([protocol.name]));
  });

  it('is what each method shows and takes', async () => {
    const { data } = await api.ask<{ methods: { name: string }[] }>('{ methods { name note map protocols published folds } }');
    const of = (name: string) => data.methods.find((method) => method.name === name);
    expect(of('NIH')).toMatchObject({ note: null, map: 'CAM', protocols: ['paper', 'nih'], published: { batchSize: 80 }, folds: null });
    expect(of('SUPERVISED')).toMatchObject({ map: 'PATCH_SCORES', protocols: ['patches'], published: null, folds: 5 });
    expect(of('GENERATIVE')).toMatchObject({ map: 'WALK_DIFFERENCE', note: expect.stringContaining('our addition') });
  });
});
