import type { DataSet, Run } from '@cxr-lens/prisma';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataSet, makeEvaluation, makeExplanations, makeRun, startTestApi, type TestApi, uploadNoise } from '../testing.ts';

let api: TestApi;
let dataSet: DataSet;
let baseline: Run;
let robust: Run;

beforeAll(async () => {
  api = await startTestApi();
  dataSet = await makeDataSet(api.prisma);
  baseline = await makeRun(api.prisma, 'baseline', { dataSetId: dataSet.id, id: 'demo-baseline', createdAt: new Date('2026-01-01') });
  robust = await makeRun(api.prisma, 'robust', {
    dataSetId: dataSet.id,
    id: 'demo-robust',
    parentId: baseline.id,
    createdAt: new Date('2026-01-02'),
  });
  await api.prisma.epoch.createMany({
    data: [2, 1].map((epoch) => ({ runId: robust.id, epoch, trainLoss: 1 / epoch, validationLoss: 1, seconds: 3 })),
  });
  await makeEvaluation(api.prisma, baseline, { dataSet, accuracy: 0.5 });
  await makeEvaluation(api.prisma, robust, { dataSet, accuracy: 0.62 });
});
afterAll(() => api.stop());

describe('what is known before anything is stored', () => {
  it('names findings, methods, protocols and the viewer', async () => {
    const { data, errors } = await api.ask<{ findings: { boxed: boolean }[]; methods: unknown[]; protocols: unknown[]; viewer: unknown }>(
      '{ findings { name label boxed } methods { name label description } protocols { name description } viewer { name } }',
    );
    expect(errors).toBeUndefined();
    expect(data.findings).toHaveLength(14);
    expect(data.findings.filter(({ boxed }) => boxed)).toHaveLength(8);
    expect(data.findings.at(-2)).toEqual({ name: 'Pleural_Thickening', label: 'Pleural thickening', boxed: false });
    expect(data.methods).toContainEqual(expect.objectContaining({ name: 'ROBUST', label: 'Robust' }));
    expect(data.protocols[0]).toMatchObject({ name: 'paper' });
    expect(data.viewer).toEqual({ name: 'local' });
  });
});

describe('runs', () => {
  it('tells everything about one run', async () => {
    interface TheRun {
      options: unknown[];
      evaluations: { auc: unknown[]; localization: { points: unknown[] }[] }[];
    }
    const { data, errors } = await api.ask<{ run: TheRun }>(
      `{ run(id: "demo-robust") { id name method { name label } preset state seed epsilon active command bestEpoch error
          dataSet { id name trainImages } parent { id } job { id } card
          options { name value default changed } epochs { epoch trainLoss best }
          evaluations { id meanAuc protocol { name } auc { finding { name } auc low high reason } localization { kind finding { name } points { iouThreshold accuracy } } } } }`,
    );
    expect(errors).toBeUndefined();
    expect(data.run).toMatchObject({
      method: { name: 'ROBUST' },
      state: 'FINISHED',
      epsilon: 0.005,
      parent: { id: 'demo-baseline' },
      job: null,
      epochs: [
        { epoch: 1, best: false },
        { epoch: 2, best: true },
      ],
      command:
        'npx --no cxr-lens train robust --data /nowhere/phantom-96.cxr --out /nowhere/demo-robust-again --preset small --from /nowhere/demo-baseline --set maxEpochs=12',
    });
    expect(data.run.options[0]).toEqual({ name: 'maxEpochs', value: 12, default: 100, changed: true });
    const [evaluation] = data.run.evaluations;
    expect(evaluation!.auc).toHaveLength(14);
    expect(evaluation!.localization).toHaveLength(8);
    expect(evaluation!.localization[0]!.points).toHaveLength(7);
  });

  it('says where a training ends, by what, and how long that takes', async () => {
    const question = '{ run(id: "demo-robust") { end { epoch by seconds } } }';
    const end = async (data: object): Promise<unknown> => {
      await api.prisma.run.update({ where: { id: robust.id }, data });
      return (await api.ask<{ run: { end: unknown } }>(question)).data.run.end;
    };
    // the options have the defaults and a cap of 12 epochs; two epochs of 3 s have ended, the second is the best
    expect(await end({ stepsPerEpoch: 100 })).toEqual({ epoch: 7, by: 'STOP_RULE', seconds: 5 * 3 });
    expect(await end({ stepsPerEpoch: 42 })).toEqual({ epoch: 12, by: 'CAP', seconds: 10 * 3 });
    expect(await end({ stepsPerEpoch: 42, options: { patience: 3 } })).toEqual({ epoch: 5, by: 'STOP_RULE', seconds: 3 * 3 });
    expect(await end({ stepsPerEpoch: null })).toBeNull();
    await end({ options: robust.options });
  });

  it('are named by the jobs that they are about, one or several', async () => {
    const job = (kind: 'TRAIN' | 'EVALUATE' | 'PHANTOM', input: object, runId: string | null = null) =>
      api.prisma.job.create({ data: { id: `${kind}-${Math.random()}`, kind, state: 'DONE', input, runId } });
    const made = [
      await job('PHANTOM', { name: 'phantom' }),
      await job('TRAIN', {}, robust.id),
      await job('EVALUATE', { runIds: [robust.id, 'deleted', baseline.id] }),
    ];
    for (const [index, runs] of [[], ['demo-robust'], ['demo-robust', 'demo-baseline']].entries()) {
      const { data } = await api.ask<{ job: unknown }>('query ($id: ID!) { job(id: $id) { runs { id } } }', { id: made[index]!.id });
      expect(data.job).toEqual({ runs: runs.map((id) => ({ id })) });
    }
    await api.prisma.job.deleteMany({ where: { id: { in: made.map(({ id }) => id) } } });
  });

  it('pages newest first, by method and data set', async () => {
    const first = await api.ask<{ runs: { pageInfo: { endCursor: string } } }>(
      '{ runs(first: 1) { totalCount edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }',
    );
    expect(first.data.runs).toMatchObject({ totalCount: 2, edges: [{ node: { id: 'demo-robust' } }], pageInfo: { hasNextPage: true } });
    const second = await api.ask(
      'query ($after: String) { runs(first: 5, after: $after) { edges { node { id } } pageInfo { hasNextPage } } }',
      {
        after: first.data.runs.pageInfo.endCursor,
      },
    );
    expect(second.data).toEqual({ runs: { edges: [{ node: { id: 'demo-baseline' } }], pageInfo: { hasNextPage: false } } });
    const some = await api.ask(
      `{ baseline: runs(method: BASELINE) { totalCount } none: runs(dataSet: "no") { totalCount edges { cursor } } }`,
    );
    expect(some.data).toEqual({ baseline: { totalCount: 1 }, none: { totalCount: 0, edges: [] } });
  });

  it('tells of a run that was imported, and knows no data of it', async () => {
    const sourceSha256 = 'a'.repeat(64);
    const imported = { id: 'i', network: 'densenet121', sourceSha256, weightsSha256: 'b'.repeat(64), head: 'findings' };
    await makeRun(api.prisma, 'chexnet', { id: 'imported', active: false, bestEpoch: null, card: { imported } });
    const { data } = await api.ask(
      '{ run(id: "imported") { imported { network sourceSha256 trainedHere } dataSet { id } epochs { epoch } } }',
    );
    expect(data).toEqual({ run: { imported: { network: 'densenet121', sourceSha256, trainedHere: false }, dataSet: null, epochs: [] } });
    await api.prisma.run.update({ where: { id: 'imported' }, data: { datasetHash: 'of a file that was never registered' } });
    const begun = await api.ask('{ run(id: "imported") { imported { trainedHere } command } }');
    expect(begun.data).toEqual({ run: { imported: { trainedHere: true }, command: expect.stringContaining(' train chexnet ') } });
    const trained = await api.ask('{ run(id: "demo-baseline") { imported { network } } }');
    expect(trained.data).toEqual({ run: { imported: null } });
    await api.prisma.run.delete({ where: { id: 'imported' } });
  });

  it('lists data sets', async () => {
    const { data } = await api.ask('{ dataSets { id size synthetic boxedPairs createdAt } }');
    expect(data).toMatchObject({ dataSets: [{ id: dataSet.id, size: 96, synthetic: true, boxedPairs: 40 }] });
  });
});

describe('comparison', () => {
  it('puts the active runs side by side with controls and published numbers', async () => {
    interface Compared {
      dataSet: { id: string };
      runs: { run: { id: string }; curve: { points: unknown[] } }[];
      controls: { kind: string }[];
      references: unknown[];
      publishedAuc: { auc: number }[];
      differences: unknown[];
      statement: string;
    }
    const { data, errors } = await api.ask<{ comparison: Compared }>(
      `{ comparison(finding: Cardiomegaly) { finding { name } protocol { name } dataSet { id } statement
          runs { run { id method { name } } evaluation { id } auc { auc low high } curve { kind label pairs threshold points { iouThreshold accuracy low high sd } } }
          controls { kind } references { kind label source points { accuracy } } publishedAuc { label auc official split source }
          differences { run { id } over { id } value low high pairs paired verdict statement } } }`,
    );
    expect(errors).toBeUndefined();
    const { comparison } = data;
    expect(comparison.dataSet.id).toBe(dataSet.id);
    expect(comparison.runs.map(({ run }) => run.id)).toEqual(['demo-baseline', 'demo-robust']);
    expect(comparison.runs[1]!.curve.points[2]).toEqual({ iouThreshold: 0.3, accuracy: 0.62, low: 0.52, high: 0.72, sd: 0.02 });
    expect(comparison.controls.map(({ kind }) => kind).sort()).toEqual(['BEST_REACHABLE', 'CENTRE', 'RANDOM']);
    // None was printed in numbers for the paper's protocol.
    expect(comparison.references).toEqual([]);
    expect(comparison.publishedAuc.map(({ auc }) => auc)).toEqual([0.81, 0.9248, 0.909]);
    // The run folders are not in reach here: without each pair's own result no difference is claimed.
    expect(comparison.differences).toMatchObject([
      { run: { id: 'demo-robust' }, over: { id: 'demo-baseline' }, paired: false, verdict: 'UNDECIDED', low: null },
    ]);
    expect(comparison.statement).toContain('AUC for Cardiomegaly: Baseline 0.80 (0.75 to 0.85) and Robust 0.80');
  });

  it('has controls of each size of maps, and one centre prior', async () => {
    const { prisma } = api;
    const cards = [
      ['demo-baseline', [28, 28, 512]],
      ['demo-robust', [7, 7, 1024]],
    ] as const;
    for (const [id, featureShape] of cards) await prisma.run.update({ where: { id }, data: { card: { featureShape: [...featureShape] } } });
    const { data } = await api.ask<{ comparison: { controls: { label: string }[] } }>(
      '{ comparison(finding: Cardiomegaly) { controls { label } } }',
    );
    expect(data.comparison.controls.map(({ label }) => label).sort()).toEqual([
      'best_reachable, 28 x 28 maps',
      'best_reachable, 7 x 7 maps',
      'centre',
      'random, 28 x 28 maps',
      'random, 7 x 7 maps',
    ]);
    for (const [id] of cards) await prisma.run.update({ where: { id }, data: { card: {} } });
  });

  it('covers all 14 findings; those without boxes have AUC alone', async () => {
    const { data, errors } = await api.ask<{ comparisons: { runs: unknown[] }[] }>(
      '{ comparisons { finding { name boxed } runs { run { id } auc { auc reason } curve { pairs } } controls { kind } differences { value } references { label } } }',
    );
    expect(errors).toBeUndefined();
    expect(data.comparisons).toHaveLength(14);
    const hernia = data.comparisons.at(-1);
    expect(hernia).toMatchObject({ finding: { name: 'Hernia', boxed: false }, controls: [], differences: [], references: [] });
    expect(hernia!.runs[0]).toMatchObject({ auc: { auc: null, reason: 'no positive image' }, curve: null });
  });

  it('takes runs in the order asked for, and shows one that was not evaluated empty', async () => {
    const fresh = await makeRun(api.prisma, 'baseline', { active: false, id: 'fresh' });
    const { data } = await api.ask(
      `{ comparison(finding: Mass, runs: ["fresh", "demo-robust"]) { runs { run { id } evaluation { id } auc { auc } } } }`,
    );
    expect(data).toMatchObject({
      comparison: {
        runs: [
          { run: { id: fresh.id }, evaluation: null, auc: null },
          { run: { id: 'demo-robust' }, auc: { auc: 0.8 } },
        ],
      },
    });
    await api.prisma.run.delete({ where: { id: fresh.id } });
  });

  it('says what is not there', async () => {
    const run = await api.ask('{ comparison(finding: Mass, runs: ["nobody"]) { statement } }');
    expect(run.errors![0]).toMatchObject({ message: 'There is no run nobody.', extensions: { code: 'NOT_FOUND' } });
    const set = await api.ask('{ comparisons(dataSet: "none") { statement } }');
    expect(set.errors![0]!.extensions.code).toBe('NOT_FOUND');
    const other = await api.ask(
      '{ comparison(finding: Mass, protocol: "other") { protocol { name } dataSet { id } statement runs { evaluation { id } } } }',
    );
    // AUC is the same by all protocols.
    expect(other.data).toMatchObject({
      comparison: { protocol: { name: 'other' }, dataSet: { id: dataSet.id }, statement: expect.stringMatching(/^AUC for Mass: /) },
    });
  });
});

describe('studies and explanations', () => {
  it('finds a study by each of its names, and its explanations by run and finding', async () => {
    const { study, image } = await uploadNoise(api, 1, 'alpha.png');
    const row = await api.prisma.image.findUniqueOrThrow({ where: { id: image } });
    await makeExplanations(api.prisma, row, baseline);
    await makeExplanations(api.prisma, row, robust);
    await api.prisma.explanation.updateMany({ where: { finding: 'Cardiomegaly' }, data: { bits: 12, bitsSource: 'card' } });
    interface Found {
      all: unknown[];
      explanations: { cam: unknown; boxReason: string | null; evidence: { statement: string }; pins: unknown }[];
    }
    const { data, errors } = await api.ask<{ study: { studyInstanceUid: string; images: [Found] } }>(
      `query ($id: ID!) { study(id: $id) { id studyInstanceUid images { id url width height fileName sopInstanceUid boxes { box { x } } jobs { kind state }
          all: explanations { run { id } finding { name } }
          explanations(runs: ["demo-robust"], findings: [Cardiomegaly, Hernia]) {
            run { id } finding { name } logit probability probabilityReason operatingPoint decision camThreshold box { x y width height } boxReason overlayUrl
            cam { url npyUrl width height min max values } saliency { url width height }
            evidence { iouThreshold accuracy low high pairs auc statement } bitsInUse { bits source } pins { runId weightsSha256 cardSha256 preprocessingVersion codeVersion datasetHash } } } } }`,
      { id: study },
    );
    expect(errors).toBeUndefined();
    const [found] = data.study.images;
    expect(found).toMatchObject({ id: image, width: 64, height: 64, fileName: 'alpha.png', jobs: [{ kind: 'EXPLAIN', state: 'QUEUED' }] });
    expect(found.all).toHaveLength(28);
    expect(found.all[0]).toEqual({ run: { id: 'demo-baseline' }, finding: { name: 'Atelectasis' } });
    expect(found.all[27]).toEqual({ run: { id: 'demo-robust' }, finding: { name: 'Hernia' } });
    const [heart, hernia] = found.explanations;
    expect(heart).toMatchObject({
      run: { id: 'demo-robust' },
      box: { x: 10, y: 12, width: 20, height: 24 },
      boxReason: null,
      camThreshold: 180,
      bitsInUse: { bits: 12, source: 'CARD' },
    });
    expect(heart!.cam).toMatchObject({ width: 3, height: 3, values: [-4, -3, -2, -1, 0, 1, 2, 3, 4] });
    expect(heart!.evidence).toMatchObject({ accuracy: 0.62, low: 0.52, high: 0.72, pairs: 40, auc: 0.8 });
    expect(heart!.evidence.statement).toBe(
      'Robust located Cardiomegaly right in 62 % (52 to 72) of 40 boxed test images of phantom-96, which are synthetic, at T(IoU) = 0.3 by protocol paper. ' +
        'Its AUC for Cardiomegaly is 0.80 (0.75 to 0.85).',
    );
    expect(heart!.pins).toMatchObject({ runId: 'demo-robust', preprocessingVersion: 'v1' });
    // a run whose validation loss exploded says so before anything else
    const where = { runId_epoch: { runId: robust.id, epoch: 2 } };
    const { validationLoss } = await api.prisma.epoch.findUniqueOrThrow({ where });
    await api.prisma.epoch.update({ where, data: { validationLoss: 3.6e11 } });
    const warned = await api.ask<{ study: { images: [Found] } }>(
      'query ($id: ID!) { study(id: $id) { images { explanations(runs: ["demo-robust"], findings: [Cardiomegaly]) { evidence { statement } } } } }',
      { id: study },
    );
    await api.prisma.epoch.update({ where, data: { validationLoss } });
    expect(warned.data.study.images[0].explanations[0]!.evidence.statement).toMatch(/^The validation loss exploded: .* Robust located/);
    expect(hernia).toMatchObject({ bitsInUse: null, probability: null, probabilityReason: 'under 10 positives', box: null });
    expect(hernia!.boxReason).toContain('No map threshold is known for Hernia');
    expect(hernia!.evidence.statement).toContain('No boxes of Hernia exist');

    // An evaluation chooses thresholds anew: what was said by the earlier card says so.
    const current = `query ($id: ID!) { study(id: $id) { images { explanations(findings: [Mass]) { run { id } current } } } }`;
    const says = async (): Promise<unknown> =>
      (await api.ask<{ study: { images: { explanations: unknown[] }[] } }>(current, { id: study })).data.study.images[0]!.explanations;
    expect(await says()).toEqual(['demo-baseline', 'demo-robust'].map((id) => ({ run: { id }, current: true })));
    await api.prisma.run.update({ where: { id: 'demo-robust' }, data: { cardSha256: 'f'.repeat(64) } });
    expect(await says()).toEqual([
      { run: { id: 'demo-baseline' }, current: true },
      { run: { id: 'demo-robust' }, current: false },
    ]);
    await api.prisma.run.update({ where: { id: 'demo-robust' }, data: { cardSha256: robust.cardSha256 } });

    const uid = data.study.studyInstanceUid;
    const again = await api.ask(
      `{ byUid: study(studyInstanceUid: "${uid}") { id } image(id: "${image}") { study { id } } none: study(accessionNumber: "A1") { id } }`,
    );
    expect(again.data).toEqual({ byUid: { id: study }, image: { study: { id: study } }, none: null });
  });

  it('searches studies by text', async () => {
    await uploadNoise(api, 2, 'Needle.png');
    const { data } = await api.ask('{ studies(filter: { text: "needle" }) { totalCount edges { node { images { fileName } } } } }');
    expect(data).toEqual({ studies: { totalCount: 1, edges: [{ node: { images: [{ fileName: 'Needle.png' }] } }] } });
  });
});

describe('what does not exist', () => {
  it('is null where it was asked for by its id', async () => {
    const { data, errors } = await api.ask('{ run(id: "x") { id } study(id: "x") { id } image(id: "x") { id } job(id: "x") { id } }');
    expect(errors).toBeUndefined();
    expect(data).toEqual({ run: null, study: null, image: null, job: null });
  });

  it.each([
    ['a field', '{ runs { edges { node { colour } } } }', 'Cannot query field "colour"'],
    ['a finding', '{ comparison(finding: Measles) { statement } }', 'does not exist in "FindingName"'],
    ['a syntax', '{ runs(', 'Syntax Error'],
  ])('%s is BAD_INPUT', async (_what, query, message) => {
    const { errors } = await api.ask(query);
    expect(errors).toHaveLength(1);
    expect(errors![0]!.extensions.code).toBe('BAD_INPUT');
    expect(errors![0]!.message).toContain(message);
  });
});
