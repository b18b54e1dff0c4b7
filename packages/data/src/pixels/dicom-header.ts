import dicomParser, { type DataSet, type Element } from 'dicom-parser';
import { CxrError } from '../error.ts';
import type { DicomAttributes } from './image.ts';
import { bareDicomSyntax, MAX_PIXELS } from './sniff.ts';

/** A parsed header: the attributes, the data set for look-up tables, and where the uncompressed pixels lie in its bytes. */
export interface DicomHeader {
  attributes: DicomAttributes;
  dataSet: DataSet;
  pixelData: Element;
  samplesPerPixel: number;
}

const UNCOMPRESSED = new Set(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2']);

const SYNTAX_NAMES: Record<string, string> = {
  '1.2.840.10008.1.2.1.99': 'deflated explicit VR little endian',
  '1.2.840.10008.1.2.4.50': 'JPEG baseline',
  '1.2.840.10008.1.2.4.51': 'JPEG extended',
  '1.2.840.10008.1.2.4.57': 'JPEG lossless',
  '1.2.840.10008.1.2.4.70': 'JPEG lossless, first-order prediction',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS lossless',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS near-lossless',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000 lossless',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.4.201': 'HTJ2K lossless',
  '1.2.840.10008.1.2.4.203': 'HTJ2K',
  '1.2.840.10008.1.2.5': 'RLE',
};

const PIXEL_DATA = 'x7fe00010';

/** Reads the header up to the pixels and checks it; nothing is allocated for the pixels here. */
export function readDicomHeader(bytes: Uint8Array, where: string): DicomHeader {
  const dataSet = parse(bytes, where);
  const attributes = attributesOf(dataSet, where);
  const { rows, columns } = attributes;
  if (rows * columns > MAX_PIXELS) {
    throw new CxrError(
      'TOO_LARGE',
      `${where} claims ${columns} x ${rows} pixels; expected at most ${MAX_PIXELS}. The header is wrong: export it again.`,
    );
  }
  const pixelData = dataSet.elements[PIXEL_DATA];
  if (!pixelData || pixelData.length === 0) {
    throw new CxrError('BAD_INPUT', `${where} is a DICOM file without pixel data (7FE0,0010); expected an image. Choose the image object.`);
  }
  if (!(rows > 0 && columns > 0)) {
    throw new CxrError('BAD_INPUT', `${where}: Rows is ${rows} and Columns is ${columns}; expected both above 0. Export the image again.`);
  }
  const frames = dataSet.intString('x00280008') ?? 1;
  if (frames > 1) throw new CxrError('UNSUPPORTED', `${where} holds ${frames} frames; expected one radiograph. Export a single frame.`);
  return { attributes, dataSet, pixelData, samplesPerPixel: dataSet.uint16('x00280002') ?? 1 };
}

function parse(bytes: Uint8Array, where: string): DataSet {
  try {
    const bare = bareDicomSyntax(bytes);
    const hasMeta = bytes[0] === 0x02 || bare === null;
    if (!hasMeta) return dicomParser.parseDicom(bytes, { TransferSyntaxUID: bare, untilTag: PIXEL_DATA });
    const part10 = bare === null ? bytes : withPreamble(bytes);
    refuseCompressed(dicomParser.readPart10Header(part10).string('x00020010') ?? '', where);
    return dicomParser.parseDicom(part10, { untilTag: PIXEL_DATA });
  } catch (cause) {
    if (cause instanceof CxrError) throw cause;
    const reason = cause instanceof Error ? cause.message : String((cause as { exception?: unknown }).exception ?? cause);
    throw new CxrError('CORRUPT', `${where} cannot be read as DICOM (${reason.replace(/^dicomParser\.\w+: /, '')}). Export it again.`, {
      cause,
    });
  }
}

/** Some archives strip the 128 bytes and "DICM" before the file meta group; the parser wants them. */
function withPreamble(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + 132);
  whole.set(new TextEncoder().encode('DICM'), 128);
  whole.set(bytes, 132);
  return whole;
}

function refuseCompressed(uid: string, where: string): void {
  if (UNCOMPRESSED.has(uid)) return;
  const name = SYNTAX_NAMES[uid] ?? 'unknown';
  throw new CxrError(
    'UNSUPPORTED',
    `${where} is compressed with the transfer syntax ${uid || '(none)'} (${name}); only uncompressed DICOM is read. Export it uncompressed, as "explicit VR little endian".`,
  );
}

function attributesOf(dataSet: DataSet, where: string): DicomAttributes {
  const optional: Partial<DicomAttributes> = {};
  const take = (key: TextKey, tag: string): void => {
    const text = dataSet.string(tag)?.trim();
    if (text) optional[key] = text;
  };
  take('studyInstanceUid', 'x0020000d');
  take('seriesInstanceUid', 'x0020000e');
  take('sopInstanceUid', 'x00080018');
  take('sopClassUid', 'x00080016');
  take('accessionNumber', 'x00080050');
  take('modality', 'x00080060');
  take('bodyPart', 'x00180015');
  take('viewPosition', 'x00185101');
  take('studyDate', 'x00080020');
  const bitsAllocated = dataSet.uint16('x00280100') ?? 0;
  const bitsStored = dataSet.uint16('x00280101') ?? bitsAllocated;
  const photometricInterpretation = dataSet.string('x00280004') ?? '';
  if (dataSet.elements[PIXEL_DATA] && !photometricInterpretation) {
    throw new CxrError(
      'BAD_INPUT',
      `${where} has no photometric interpretation (0028,0004): black and white cannot be told apart. Export it again.`,
    );
  }
  return {
    ...optional,
    transferSyntaxUid: dataSet.string('x00020010') ?? bareDicomSyntax(dataSet.byteArray as Uint8Array) ?? '',
    photometricInterpretation,
    rows: dataSet.uint16('x00280010') ?? 0,
    columns: dataSet.uint16('x00280011') ?? 0,
    bitsAllocated,
    bitsStored,
  };
}

type TextKey =
  | 'studyInstanceUid'
  | 'seriesInstanceUid'
  | 'sopInstanceUid'
  | 'sopClassUid'
  | 'accessionNumber'
  | 'modality'
  | 'bodyPart'
  | 'viewPosition'
  | 'studyDate';
