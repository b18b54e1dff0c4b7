import { CxrError, type KnownBox, putObject } from '@cxr-lens/data';
import { explainMissing, type Image, type Jobs, type Prisma, type PrismaClient, shareObjects } from '@cxr-lens/prisma';
import { parse } from '../input.ts';
import type { Inspected, Squash } from '../pictures/draw.ts';
import type { TaskRunner } from '../tasks/runner.ts';
import { bytesOf, type Source } from './body.ts';
import { DicomSchema } from './identity.ts';
import { boxesIn, type Candidate, type KnownImages } from './known-boxes.ts';

export interface Archive {
  prisma: PrismaClient;
  jobs: Jobs;
  tasks: TaskRunner;
  known: KnownImages;
}

export interface AddedImage {
  image: Image;
  studyInstanceUid: string;
  sopClassUid: string | null;
  /** The job that explains it; null while no finished run is in use. */
  jobId: string | null;
}

/** One received file: where its bytes are, and what it is called. */
export interface Upload {
  source: Source;
  fileName: string | null;
}

/** Decodes the file and finds the registered images that its name may mean. UNAVAILABLE if that takes too long. */
export async function inspectUpload({ known, tasks }: Archive, { source, fileName }: Upload) {
  const candidates = fileName === null ? [] : await known.candidates(fileName);
  const squash = [...new Map(candidates.map((candidate) => [keyOf(candidate), candidate.squash])).values()];
  const inspection = await tasks.run({ kind: 'inspect', source, where: fileName ?? 'The upload', squash });
  const same = (image: Inspected): Candidate | null => sameImage(candidates, squash, image);
  return 'image' in inspection ? { sop: inspection.sop, image: inspection.image, known: same(inspection.image) } : inspection;
}

/**
 * Stores and queues one uploaded image. The same file again answers the same, and repairs its stored bytes where they are damaged.
 * Throws CONFLICT for another object of the same SOP Instance UID.
 */
export async function addImage(
  archive: Archive,
  upload: Upload,
  inspected: { image: Inspected; known: Candidate | null },
): Promise<AddedImage> {
  const record = describe(upload, inspected);
  return settled(() => store(archive, record));
}

// Two senders of one image at the same moment: the second one finds the first one's rows (P2002). A study that is deleted while an image
// is added to it takes rows away that were there a moment ago (P2003, P2025; NOT_FOUND of the job's image).
const OVERTAKEN = ['P2002', 'P2003', 'P2025', 'NOT_FOUND'];
const ATTEMPTS = 5;

/** Runs `write` again if another request changed the same rows meanwhile. CONFLICT if that keeps happening. */
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

const keyOf = ({ squash: { size, bits } }: Pick<Candidate, 'squash'>): string => `${size} ${bits}`;

function sameImage(candidates: readonly Candidate[], squash: readonly Squash[], { squashed }: Inspected): Candidate | null {
  const pixels = new Map(squash.map((one, index) => [keyOf({ squash: one }), squashed[index]!]));
  return candidates.find((candidate) => candidate.isSame(pixels.get(keyOf(candidate))!)) ?? null;
}

interface ImageRecord {
  source: Source;
  sha256: string;
  studyInstanceUid: string;
  accessionNumber: string | null;
  sopClassUid: string | null;
  image: Omit<Prisma.ImageUncheckedCreateInput, 'studyId' | 'objectKey'>;
  boxes: KnownBox[];
  sixteenBit: boolean;
}

function describe({ source, fileName }: Upload, { image, known }: { image: Inspected; known: Candidate | null }): ImageRecord {
  const { format, width, height, sha256, contentUids, sixteenBit } = image;
  const dicom = parse(DicomSchema, image.dicom ?? {});
  return {
    source,
    sha256,
    studyInstanceUid: dicom.studyInstanceUid ?? contentUids.study,
    accessionNumber: dicom.accessionNumber,
    sopClassUid: dicom.sopClassUid,
    image: {
      sopInstanceUid: dicom.sopInstanceUid ?? contentUids.instance,
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
      await keepStudies(tx, studyInstanceUid, record.image.sopInstanceUid);
      const known = await tx.image.findUnique({ where: { sopInstanceUid: record.image.sopInstanceUid }, include: { study: true } });
      if (known) {
        sameContent(known.objectKey, record);
        // What is acknowledged again is there: bytes that were damaged or lost come back with this.
        await putObject(await bytesOf(record.source));
        return {
          image: known,
          studyInstanceUid: known.study.studyInstanceUid,
          sopClassUid,
          jobId: await explainMissing({ tx, jobs }, known.id, record),
        };
      }
      const objectKey = await putObject(await bytesOf(record.source));
      const study = await tx.study.upsert({ where: { studyInstanceUid }, create: { studyInstanceUid, accessionNumber }, update: {} });
      const image = await tx.image.create({
        data: {
          ...record.image,
          studyId: study.id,
          objectKey,
          boxes: { create: boxes.map(({ finding, box }) => ({ finding, ...box })) },
        },
      });
      return { image, studyInstanceUid, sopClassUid, jobId: await explainMissing({ tx, jobs }, image.id, record) };
    },
    { timeout: 30_000 },
  );
}

/** Until the transaction ends, nobody deletes the study that the image is added to, nor that of the same image. */
async function keepStudies(tx: Prisma.TransactionClient, studyInstanceUid: string, sopInstanceUid: string): Promise<void> {
  await tx.$queryRaw`
    SELECT id FROM "Study"
    WHERE "studyInstanceUid" = ${studyInstanceUid} OR id = (SELECT "studyId" FROM "Image" WHERE "sopInstanceUid" = ${sopInstanceUid})
    ORDER BY id FOR KEY SHARE`;
}

function sameContent(objectKey: string, { sha256, image }: ImageRecord): void {
  if (sha256 === objectKey) return;
  throw new CxrError(
    'CONFLICT',
    `SOP Instance UID ${image.sopInstanceUid} is stored already with other content, which stays as it is. Delete its study first to replace it.`,
  );
}
