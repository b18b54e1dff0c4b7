import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TextSchema } from '../input.ts';

/** A DICOM UID as PS3.5 9.1 writes it, up to leading zeros; null for what is none. */
const UidSchema = z
  .string()
  .regex(/^[0-9.]{1,64}$/)
  .nullable()
  .catch(null);

// SH has 16 characters (PS3.5 6.2); some write more.
const MAX_ACCESSION_NUMBER = 64;

/** What a DICOM file says of itself: null where that is missing, or none. */
export const DicomSchema = z.object({
  studyInstanceUid: UidSchema,
  seriesInstanceUid: UidSchema,
  sopInstanceUid: UidSchema,
  sopClassUid: UidSchema,
  accessionNumber: z
    .string()
    .transform((text) => text.replaceAll(/\p{Cc}/gu, '').trim())
    .transform((text) => text.slice(0, MAX_ACCESSION_NUMBER) || null)
    .nullable()
    .catch(null),
  viewPosition: TextSchema.nullable().catch(null),
});

/**
 * A DICOM UID made from content: `2.25.` and a 128-bit number. Two uploads of the same picture are the same instance,
 * as two sendings of one DICOM object are.
 */
export function contentUid(kind: 'study' | 'instance', bytes: Uint8Array): string {
  const digest = createHash('sha256').update(`cxr-lens ${kind} `).update(bytes).digest('hex');
  return `2.25.${BigInt(`0x${digest.slice(0, 32)}`)}`;
}

export interface SopReference {
  sopClassUid: string | null;
  sopInstanceUid: string | null;
}

const CLASS_UID = 0x0002;
const INSTANCE_UID = 0x0003;

// Both stand at the beginning of the file meta information, of some hundred bytes; a made-up one fills the file.
const META_BYTES = 64 * 1024;

/** Class and instance from the file meta information alone, so that the answer names an object whose pixels cannot be read. */
export function sopReference(file: Uint8Array): SopReference {
  const bytes = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, META_BYTES));
  const found: SopReference = { sopClassUid: null, sopInstanceUid: null };
  let at = bytes.toString('latin1', 128, 132) === 'DICM' ? 132 : bytes.length;
  // Explicit VR little endian, whatever the data set's own syntax is (PS3.10 7.1).
  while (at + 12 <= bytes.length && bytes.readUInt16LE(at) === 0x0002) {
    const long = ['OB', 'OW', 'UN', 'UT', 'SQ', 'UC', 'UR'].includes(bytes.toString('latin1', at + 4, at + 6));
    const length = long ? bytes.readUInt32LE(at + 8) : bytes.readUInt16LE(at + 6);
    const start = at + (long ? 12 : 8);
    const element = bytes.readUInt16LE(at + 2);
    const uid = (): string | null => {
      const text = bytes.toString('latin1', start, start + length).replace(/[\0 ]+$/, '');
      return UidSchema.parse(text);
    };
    if (element === CLASS_UID) found.sopClassUid = uid();
    if (element === INSTANCE_UID) found.sopInstanceUid = uid();
    at = start + length;
  }
  return found;
}
