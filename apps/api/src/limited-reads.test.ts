import type { Prisma } from '@cxr-lens/prisma';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Budget, createBudget } from './budget.ts';
import { limitedReads } from './limited-reads.ts';
import { makeDataSet, makeEvaluation, makeExplanations, makeRun, startTestApi, type TestApi, uploadNoise } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  const dataSet = await makeDataSet(api.prisma);
  const baseline = await makeRun(api.prisma, 'baseline', { dataSetId: dataSet.id });
  const robust = await makeRun(api.prisma, 'robust', { dataSetId: dataSet.id, parentId: baseline.id });
  await makeEvaluation(api.prisma, robust, { dataSet });
  const { study } = await uploadNoise(api, 1);
  for (const seed of [2, 3]) {
    const uploaded = await uploadNoise(api, seed);
    await api.prisma.image.update({ where: { id: uploaded.image }, data: { studyId: study } });
  }
  const images = await api.prisma.image.findMany();
  for (const image of images.slice(0, 2)) for (const run of [baseline, robust]) await makeExplanations(api.prisma, image, run);
});
afterAll(() => api.stop());

/** A budget of so many rows; `read` counts them. */
function rowBudget(most: number): { budget: Budget; read(): number } {
  let read = 0;
  const rows = (count: number): void => {
    read += count;
    if (read > most) throw new Error('over');
  };
  return { budget: { ...createBudget(), rows, rowsLeft: () => most - read }, read: () => read };
}

const NESTED = {
  include: {
    images: {
      orderBy: { id: 'desc' },
      include: {
        boxes: true,
        explanations: {
          where: { finding: { in: ['Mass', 'Hernia'] } },
          orderBy: [{ run: { createdAt: 'asc' } }, { finding: 'asc' }],
          include: {
            run: {
              include: {
                parent: true,
                dataSet: { select: { name: true } },
                evaluations: { include: { auc: { orderBy: { finding: 'asc' } } } },
              },
            },
          },
        },
        study: { include: { images: { take: 1, orderBy: { id: 'asc' }, include: { study: true } } } },
      },
    },
  },
  orderBy: { id: 'asc' },
} satisfies Prisma.StudyFindManyArgs;

describe('reads that are counted', () => {
  it('give what Prisma gives', async () => {
    const { budget, read } = rowBudget(1000);
    const counted = await limitedReads(api.prisma, () => budget).study.findMany(NESTED);
    expect(counted).toMatchObject(await api.prisma.study.findMany(NESTED));
    // Studies, images and their explanations; runs, parent, data sets, evaluations, AUC; back to the study and one image.
    expect(read()).toBeLessThan(120);
  });

  it.each([1, 3, 5, 20])('read no more than one row above %d', async (most) => {
    const { budget, read } = rowBudget(most);
    await expect(limitedReads(api.prisma, () => budget).study.findMany(NESTED)).rejects.toThrow('over');
    expect(read()).toBe(most + 1);
  });

  it('are one object for one row, however often it is named', async () => {
    const { budget } = rowBudget(100);
    const nested = { images: { include: { study: { include: { images: { include: { study: true } } } } } } } as const;
    const [study] = await limitedReads(api.prisma, () => budget).study.findMany({ include: nested });
    expect(new Set(study!.images.map((image) => image.study)).size).toBe(1);
    expect(study!.images).toHaveLength(3);
  });
});
