import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeGreyPng, encodeNpy, FINDINGS, putObject } from '@cxr-lens/data';
import { PAPER_PROTOCOL, type Protocol } from '@cxr-lens/eval';
import { defaultOptions, type MethodName } from '@cxr-lens/model/spec';
import { type DataSet, type Image, type Prisma, type PrismaClient, type Run, testDatabase } from '@cxr-lens/prisma';
import type { FastifyInstance } from 'fastify';
import { createLog } from './log.ts';
import { createServer } from './server.ts';

/** A running API with a database and a CXR_HOME of the test file's own. */
export interface TestApi {
  app: FastifyInstance;
  prisma: PrismaClient;
  url: string;
  databaseUrl: string;
  /** Lines of the log, parsed. */
  logs: Record<string, unknown>[];
  /** `Data` is what the test reads of the answer; one that only compares needs none. */
  ask<Data = unknown>(query: string, variables?: Record<string, unknown>): Promise<Answer<Data>>;
  stop(): Promise<void>;
}

interface Answer<Data> {
  data: Data;
  errors?: { message: string; extensions: { code: string; requestId?: string } }[];
}

export async function startTestApi(options: { dashboardUrl?: string } = {}): Promise<TestApi> {
  const home = mkdtempSync(path.join(tmpdir(), 'cxr-api-'));
  process.env['CXR_HOME'] = home;
  const database = await testDatabase();
  const logs: Record<string, unknown>[] = [];
  const log = createLog('info', { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) });
  const app = await createServer({ prisma: database.prisma, databaseUrl: database.url, log, ...options });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    prisma: database.prisma,
    url,
    databaseUrl: database.url,
    logs,
    ask: async <Data>(query: string, variables: Record<string, unknown> = {}) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as Answer<Data>;
    },
    stop: async () => {
      await app.close();
      await database.drop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

export function makeDataSet(prisma: PrismaClient, data: Partial<Prisma.DataSetUncheckedCreateInput> = {}): Promise<DataSet> {
  const hash = sha(randomUUID());
  return prisma.dataSet.create({
    data: {
      name: 'phantom-96',
      path: '/nowhere/phantom-96.cxr',
      size: 96,
      synthetic: true,
      datasetHash: hash,
      splitHash: hash,
      preprocessingVersion: 'v1',
      trainImages: 80,
      validationImages: 9,
      testImages: 11,
      boxedPairs: 40,
      ...data,
    },
  });
}

export function makeRun(prisma: PrismaClient, method: MethodName, data: Partial<Prisma.RunUncheckedCreateInput> = {}): Promise<Run> {
  const id = data.id ?? `${method}-${randomUUID().slice(0, 8)}`;
  return prisma.run.create({
    data: {
      id,
      name: id,
      method,
      preset: 'small',
      state: 'FINISHED',
      active: true,
      seed: 0,
      epsilon: method === 'robust' ? 0.005 : null,
      options: { ...defaultOptions(method), maxEpochs: 12 },
      path: `/nowhere/${id}`,
      weightsSha256: sha(id),
      cardSha256: sha(`card ${id}`),
      bestEpoch: 2,
      ...data,
    },
  });
}

interface Measured {
  dataSet: DataSet;
  accuracy?: number;
  protocol?: Protocol;
  excludedPatients?: number;
  /** What a protocol that makes boxes counts beside the accuracy. */
  boxes?: Pick<Prisma.LocalizationPointUncheckedCreateInput, 'falsePositives' | 'iobbAccuracy' | 'iobbFalsePositives'>;
}

/** A measured run: AUC of every finding, and curves of it and its controls for Cardiomegaly and Nodule. */
export function makeEvaluation(
  prisma: PrismaClient,
  run: Run,
  { dataSet, accuracy = 0.6, protocol = PAPER_PROTOCOL, excludedPatients = 0, boxes = {} }: Measured,
) {
  const curve = (finding: string, kind: 'RUN' | 'RANDOM' | 'CENTRE' | 'BEST_REACHABLE', top: number) => ({
    finding,
    kind,
    label: kind === 'RUN' ? run.name : kind.toLowerCase(),
    pairs: 40,
    threshold: kind === 'RUN' ? 180 : null,
    meanIou: 0.3,
    points: {
      create: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7].map((iouThreshold) => ({
        iouThreshold,
        accuracy: top,
        low: top - 0.1,
        high: top + 0.1,
        sd: 0.02,
        ...(kind === 'RUN' ? boxes : {}),
      })),
    },
  });
  return prisma.evaluation.create({
    data: {
      runId: run.id,
      dataSetId: dataSet.id,
      datasetHash: dataSet.datasetHash,
      protocol: protocol.name,
      protocolDescription: protocol.description,
      weightsSha256: run.weightsSha256!,
      seed: 0,
      images: 11,
      excludedPatients,
      meanAuc: 0.8,
      auc: {
        create: FINDINGS.map((finding) =>
          finding === 'Hernia'
            ? { finding, positives: 0, negatives: 11, reason: 'no positive image' }
            : { finding, auc: 0.8, low: 0.75, high: 0.85, variance: 0.001, positives: 5, negatives: 6 },
        ),
      },
      localization: {
        create: ['Cardiomegaly', 'Nodule'].flatMap((finding) => [
          curve(finding, 'RUN', accuracy),
          curve(finding, 'RANDOM', 0.1),
          curve(finding, 'CENTRE', 0.3),
          curve(finding, 'BEST_REACHABLE', 0.9),
        ]),
      },
    },
  });
}

/** A PNG of seeded noise: two different seeds are two different images. */
export function noisePng(seed: number, size = 64): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: size * size }, (_, at) => (at * 7 + seed * 31 + ((at * at) % 13)) % 256);
  return encodeGreyPng({ width: size, height: size, pixels });
}

/** Uploads an image that is the seed's own; the ids of its study and of itself. */
export async function uploadNoise(
  { url }: Pick<TestApi, 'url'>,
  seed: number,
  name = `image-${seed}.png`,
): Promise<{ study: string; image: string }> {
  const body = new Uint8Array(await noisePng(seed));
  const response = await fetch(`${url}/studies?name=${name}`, { method: 'POST', headers: { 'content-type': 'image/png' }, body });
  const { studies } = (await response.json()) as { studies: { id: string; images: { id: string }[] }[] };
  return { study: studies[0]!.id, image: studies[0]!.images[0]!.id };
}

/** What a worker writes for one image and run: all 14 findings, maps in the object store. */
export async function makeExplanations(prisma: PrismaClient, image: Image, run: Run): Promise<void> {
  const cam = Float32Array.from({ length: 9 }, (_, at) => at - 4);
  const saliency = Float32Array.from({ length: 16 }, (_, at) => (at - 7.5) / 100);
  const camKey = await putObject(encodeNpy(cam, [3, 3]));
  const saliencyKey = await putObject(encodeNpy(saliency, [4, 4]));
  await prisma.explanation.createMany({
    data: FINDINGS.map((finding, index) => ({
      imageId: image.id,
      runId: run.id,
      finding,
      logit: index / 10,
      probability: finding === 'Hernia' ? null : 0.5,
      probabilityReason: finding === 'Hernia' ? 'under 10 positives' : null,
      operatingPoint: 0.4,
      decision: true,
      camThreshold: finding === 'Cardiomegaly' ? 180 : null,
      camKey,
      camWidth: 3,
      camHeight: 3,
      camMin: -4,
      camMax: 4,
      saliencyKey,
      saliencyWidth: 4,
      saliencyHeight: 4,
      saliencyMin: -0.075,
      saliencyMax: 0.075,
      ...(finding === 'Cardiomegaly' ? { boxX: 10, boxY: 12, boxWidth: 20, boxHeight: 24 } : {}),
      weightsSha256: run.weightsSha256!,
      cardSha256: run.cardSha256!,
      preprocessingVersion: 'v1',
      codeVersion: 'test',
      datasetHash: 'hash',
    })),
  });
}
