import { createHash } from 'node:crypto';
import { CxrError, FINDINGS, type KnownBox, putObject } from '@cxr-lens/data';
import { type Image, type Jobs, type Prisma, type PrismaClient, shareObjects } from '@cxr-lens/prisma';
import { parse } from '../input.ts';
import { activeRunIds } from '../jobs.ts';
import type { Inspection } from '../pictures/draw.ts';
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
  const squash = [...new Set(candidates.map(({ size }) => size))];
  const inspection = await archive.threads.run({ kind: 'inspect', bytes, where, squash });
  const record = describe({ bytes, fileName, inspection, known: sameImage(candidates, squash, inspection) });
  return settled(() => store(archive, record));
}

// Two senders of one image at the same moment: the second one finds the first one's rows (P2002). A study that is deleted while an image
// is added to it takes rows away that were there a moment ago (P2003, P2025; NOT_FOUND of the job's image).
const OVERTAKEN = ['P2002', 'P2003', 'P2025', 'NOT_FOUND'];
const ATTEMPTS = 5;

/** What `write` gives; it is done anew where another request changed the same rows meanwhile. CONFLICT when that happens again and again. */
async function settled<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (!OVERTAKEN.includes((error as { code?: string }).code ?? '')) throw error;
    }
  }
  throw new CxrError('CONFLICT', 'Others add to and delete this study all the time: send the image again in a moment.');
}

function sameImage(candidates: readonly Candidate[], squash: readonly number[], { squashed }: Inspection): Candidate | null {
  return candidates.find(({ size, isSame }) => isSame(squashed[squash.indexOf(size)]!)) ?? null;
}

interface ImageRecord {
  bytes: Uint8Array;
  studyInstanceUid: string;
  accessionNumber: string | null;
  sopClassUid: string | null;
  image: Omit<Prisma.ImageUncheckedCreateInput, 'studyId' | 'objectKey'>;
  boxes: KnownBox[];
}

interface Upload {
  bytes: Uint8Array;
  fileName: string | null;
  inspection: Inspection;
  known: Candidate | null;
}

function describe({ bytes, fileName, inspection, known }: Upload): ImageRecord {
  const { format, width, height } = inspection;
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
          jobId: await explainOnce({ tx, jobs }, known.id),
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
      return { image, studyInstanceUid, sopClassUid, jobId: await explainOnce({ tx, jobs }, image.id) };
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

/** Queues an explanation by those runs in use that have none yet and that no open job is about to give. */
async function explainOnce({ tx, jobs }: { tx: Prisma.TransactionClient; jobs: Jobs }, imageId: string): Promise<string | null> {
  const runIds = await activeRunIds(tx);
  const newest = await tx.job.findFirst({ where: { imageId, kind: 'EXPLAIN' }, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] });
  const explained = await tx.explanation.groupBy({ by: ['runId'], where: { imageId, runId: { in: runIds } } });
  const missing = runIds.filter((runId) => !explained.some((row) => row.runId === runId));
  const open = newest?.state === 'QUEUED' || newest?.state === 'RUNNING';
  if (missing.length === 0 || open) return newest?.id ?? null;
  return (await jobs.enqueue('explain', { imageId, runIds: missing, findings: [...FINDINGS] }, { tx })).id;
}
