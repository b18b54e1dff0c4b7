import type { PublicError } from '../errors.ts';
import type { AddedImage } from './add-image.ts';
import type { SopReference } from './identity.ts';

/** What became of one file of an upload. */
export type Outcome =
  | { fileName: string | null; sop: SopReference; added: AddedImage }
  | { fileName: string | null; sop: SopReference; error: PublicError };

/** The answer to a browser or curl: studies with their images, and what was rejected with the reason. */
export function jsonAnswer(outcomes: readonly Outcome[]) {
  const studies = new Map<string, { id: string; studyInstanceUid: string; images: ImageAnswer[]; jobId: string | null }>();
  const rejected: (PublicError & { fileName: string | null })[] = [];
  for (const outcome of outcomes) {
    if ('error' in outcome) {
      rejected.push({ fileName: outcome.fileName, ...outcome.error });
      continue;
    }
    const { image, studyInstanceUid, jobId } = outcome.added;
    const study = studies.get(studyInstanceUid) ?? { id: image.studyId, studyInstanceUid, images: [], jobId: null };
    if (!study.images.some(({ id }) => id === image.id)) study.images.push({ id: image.id, fileName: image.fileName, jobId });
    study.jobId ??= jobId;
    studies.set(studyInstanceUid, study);
  }
  return { studies: [...studies.values()], rejected };
}

interface ImageAnswer {
  id: string;
  fileName: string | null;
  jobId: string | null;
}

/** Failure Reason (0008,1197), PS3.4 table CC.2.3-4 and PS3.18 table 10.5.3-1. */
const FAILURE_REASONS: Record<PublicError['code'], number> = {
  BAD_INPUT: 0xc000,
  CORRUPT: 0xc000,
  NOT_FOUND: 0x0110,
  UNSUPPORTED: 0xc122,
  TOO_LARGE: 0xa700,
  CONFLICT: 0x0111,
  UNAVAILABLE: 0xa700,
  CANCELLED: 0x0110,
  INTERNAL: 0x0110,
};

type DicomJson = { [tag: string]: { vr: string; Value?: unknown[] } };

const uid = (value: string | null): { vr: string; Value?: unknown[] } => ({ vr: 'UI', ...(value === null ? {} : { Value: [value] }) });
const sequence = (items: readonly DicomJson[]) => ({ vr: 'SQ', Value: [...items] });

/**
 * The Store Instances Response Module in DICOM JSON: one item an instance, stored or failed. No Retrieve URL is given, as there is no
 * retrieve service. An instance whose UID cannot be read goes to Other Failures Sequence, as PS3.18 10.5.3 asks.
 */
export function dicomAnswer(outcomes: readonly Outcome[]): DicomJson {
  const stored: DicomJson[] = [];
  const failed: DicomJson[] = [];
  const other: DicomJson[] = [];
  for (const outcome of outcomes) {
    if ('added' in outcome) {
      const { image, sopClassUid } = outcome.added;
      stored.push({ '00081150': uid(sopClassUid ?? outcome.sop.sopClassUid), '00081155': uid(image.sopInstanceUid) });
      continue;
    }
    // Error Comment (0000,0902) tells a person what the number means here.
    const reason: DicomJson = {
      '00000902': { vr: 'LO', Value: [outcome.error.message.slice(0, 64)] },
      '00081197': { vr: 'US', Value: [FAILURE_REASONS[outcome.error.code]] },
    };
    if (outcome.sop.sopInstanceUid === null) other.push(reason);
    else failed.push({ ...reason, '00081150': uid(outcome.sop.sopClassUid), '00081155': uid(outcome.sop.sopInstanceUid) });
  }
  return {
    ...(failed.length > 0 ? { '00081198': sequence(failed) } : {}),
    ...(stored.length > 0 ? { '00081199': sequence(stored) } : {}),
    ...(other.length > 0 ? { '0008119A': sequence(other) } : {}),
  };
}
