import { createHash } from 'node:crypto';
import { CxrError, FINDINGS, type KnownBox, putObject } from '@cxr-lens/data';
import { type Image, type Jobs, type Prisma, type PrismaClient, shareObjects } from '@cxr-lens/prisma';
import { parse } from '../input.ts';
import { activeRunIds } from '../jobs.ts';
import type { Inspection, Squash } from '../pictures/draw.ts';
import type { Threads } from '../threads/threads.ts';
import { contentUid, DicomSchema } from './identity.ts';
import { boxesIn, type Candidate, type KnownImages } from './known-boxes.ts';

export interface Archive {
  prisma: PrismaClient;
  jobs: Jobs;
  threads: Threads;
  known: KnownImages;
}

export interface AddedImage {
  image: Image;
  studyInstanceUid: string;
  sopClassUid: string | null;
  /** The job that explains it; null while no finished run is in use. */
  jobId: string | null;
}

/**
 * Decodes, stores and queues one uploaded file. The same file again changes nothing and answers the same.
 * Throws BAD_INPUT, CORRUPT, UNSUPPORTED or TOO_LARGE for what is no readable image, CONFLICT for another object of the same SOP Instance UID.
 */
export async function addImage(archive: Archive, bytes: Uint8Array, fileName: string | null): Promise<AddedImage> {
  const where = fileName ?? 'The upload';
  const candidates = fileName === null ? [] : await archive.known.candidates(fileName);
  const squash = [...new Map(candidates.map((candidate) => [keyOf(candidate), candidate.squash])).values()];
  const inspection = await archive.threads.run({ kind: 'inspect', bytes, where, squash });
  const record = describe({ bytes, fileName, inspection, known: sameImage(candidates, squash, inspection) });
  try {
    return await store(archive, record);
  } catch (error) {
    // Two senders of one image at the same moment: the second one finds the first one's rows.
    if ((error as { code?: string }).code === 'P2002') return store(archive, record);
    throw error;
  }
}

const keyOf = ({ squash: { size, bits } }: Pick<Candidate, 'squash'>): string => `${size} ${bits}`;

function sameImage(candidates: readonly Candidate[], squash: readonly Squash[], { squashed }: Inspection): Candidate | null {
  const pixels = new Map(squash.map((one, index) => [keyOf({ squash: one }), squashed[index]!]));
  return candidates.find((candidate) => candidate.isSame(pixels.get(keyOf(candidate))!)) ?? null;
}

interface ImageRecord {
  bytes: Uint8Array;
  studyInstanceUid: string;
  accessionNumber: string | null;
  sopClassUid: string | null;
  image: Omit<Prisma.ImageUncheckedCreateInput, 'studyId' | 'objectKey'>;
  boxes: KnownBox[];
  sixteenBit: boolean;
}

interface Upload {
  bytes: Uint8Array;
  fileName: string | null;
  inspection: Inspection;
  known: Candidate | null;
}

function describe({ bytes, fileName, inspection, known }: Upload): ImageRecord {
  const { format, width, height, sixteenBit } = inspection;
  const dicom = parse(DicomSchema, inspection.dicom ?? {});
  return {
    bytes,
    studyInstanceUid: dicom.studyInstanceUid ?? contentUid('study', bytes),
    accessionNumber: dicom.accessionNumber,
    sopClassUid: dicom.sopClassUid,
    image: {
      sopInstanceUid: dicom.sopInstanceUid ?? contentUid('instance', bytes),
      seriesInstanceUid: dicom.seriesInstanceUid,
      format,
      width,
      height,
      fileName,
      view: dicom.viewPosition ?? known?.image.view ?? null,
    },
    boxes: known ? boxesIn(known.image.boxes, { width, height }) : [],
    sixteenBit,
  };
}

async function store({ prisma, jobs }: Archive, record: ImageRecord): Promise<AddedImage> {
  const { studyInstanceUid, accessionNumber, sopClassUid, boxes } = record;
  return prisma.$transaction(
    async (tx) => {
      await shareObjects(tx);
      const known = await tx.image.findUnique({ where: { sopInstanceUid: record.image.sopInstanceUid }, include: { study: true } });
      if (known) {
        sameContent(known.objectKey, record);
        return {
          image: known,
          studyInstanceUid: known.study.studyInstanceUid,
          sopClassUid,
          jobId: await explainOnce({ tx, jobs }, known.id, record),
        };
      }
      const objectKey = await putObject(record.bytes);
      const study = await tx.study.upsert({ where: { studyInstanceUid }, create: { studyInstanceUid, accessionNumber }, update: {} });
      const image = await tx.image.create({
        data: {
          ...record.image,
          studyId: study.id,
          objectKey,
          boxes: { create: boxes.map(({ finding, box }) => ({ finding, ...box })) },
        },
      });
      return { image, studyInstanceUid, sopClassUid, jobId: await explainOnce({ tx, jobs }, image.id, record) };
    },
    { timeout: 30_000 },
  );
}

function sameContent(objectKey: string, { bytes, image }: ImageRecord): void {
  if (createHash('sha256').update(bytes).digest('hex') === objectKey) return;
  throw new CxrError(
    'CONFLICT',
    `SOP Instance UID ${image.sopInstanceUid} is stored already with other content, which stays as it is. Delete its study first to replace it.`,
  );
}

/**
 * Queues an explanation by those runs in use that have none yet and that no open job is about to give. 0.1.0 read 16-bit files near black
 * and kept no bits: its explanations of them count for none.
 */
async function explainOnce(
  { tx, jobs }: { tx: Prisma.TransactionClient; jobs: Jobs },
  imageId: string,
  { sixteenBit }: Pick<ImageRecord, 'sixteenBit'>,
): Promise<string | null> {
  const runIds = await activeRunIds(tx);
  const newest = await tx.job.findFirst({ where: { imageId, kind: 'EXPLAIN' }, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] });
  const right = sixteenBit ? { bits: { not: null } } : {};
  const explained = await tx.explanation.groupBy({ by: ['runId'], where: { imageId, runId: { in: runIds }, ...right } });
  const missing = runIds.filter((runId) => !explained.some((row) => row.runId === runId));
  const open = newest?.state === 'QUEUED' || newest?.state === 'RUNNING';
  if (missing.length === 0 || open) return newest?.id ?? null;
  return (await jobs.enqueue('explain', { imageId, runIds: missing, findings: [...FINDINGS] }, { tx })).id;
}
