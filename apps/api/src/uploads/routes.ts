import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { CxrError } from '@cxr-lens/data';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { publicError, statusOf } from '../errors.ts';
import { parse } from '../input.ts';
import { type Archive, addImage, inspectUpload } from './add-image.ts';
import { dicomAnswer, jsonAnswer, type Outcome } from './answers.ts';
import { MAX_FILE_BYTES, receiveBody, tooLarge } from './body.ts';
import { createGate, type Gate } from './gate.ts';
import type { SopReference } from './identity.ts';
import { MAX_REQUEST_BYTES, partsOf } from './parts.ts';
import { createPatience, type Patience } from './patience.ts';
import { createPlaces } from './places.ts';
import { type UploadHeaders, UploadHeadersSchema, UploadQuerySchema } from './request.ts';
import { type RequireRoom, roomKeeper } from './room.ts';

// A file is held in memory while it is stored: at most so many at once.
const FILES_AT_ONCE = 4;

// Each holds up to 1 MiB while it arrives.
const UPLOADS_OF_ONE = 64;
const UPLOADS_OF_ALL = 128;

const BARE_TYPES = ['image/png', 'image/jpeg', 'application/dicom', 'application/octet-stream'];

/** POST /studies: DICOMweb STOW-RS (multipart/related), a browser's multipart/form-data, or one bare PNG, JPEG or DICOM file. */
export async function uploadRoutes(app: FastifyInstance, archive: Archive): Promise<void> {
  const gate = createGate(FILES_AT_ONCE);
  const requireRoom = roomKeeper();
  const places = createPlaces({ each: UPLOADS_OF_ONE, all: UPLOADS_OF_ALL });
  const take = (file: IncomingFile): Promise<Outcome> => outcomeOf({ archive, gate, requireRoom }, file);
  // Bodies are read as streams, by the routes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.post('/studies', async (request, reply) => {
    const headers = parse(UploadHeadersSchema, request.headers);
    const leave = places.take(request.ip);
    reply.raw.once('close', leave);
    const { type } = headers;
    // What is too large in any case is told so below.
    await requireRoom(headers.size > MAX_REQUEST_BYTES ? 0 : headers.size);
    if (type === 'multipart/related') return answerStow(reply, await takeParts(request, headers, take));
    if (type === 'multipart/form-data') return answerJson(reply, await takeParts(request, headers, take));
    if (BARE_TYPES.includes(type)) return answerJson(reply, [await takeBare(request, headers, take)]);
    throw new CxrError(
      'UNSUPPORTED',
      `Content-Type "${type}": expected multipart/form-data, multipart/related or one of ${BARE_TYPES.join(', ')}. With curl: -F file=@image.png`,
    );
  });
}

interface IncomingFile {
  fileName: string | null;
  stream: Readable;
  request: FastifyRequest;
  patience: Patience;
  /** Stops reading at the limit instead of reading on to the next part. */
  stop: boolean;
}

type Take = (file: IncomingFile) => Promise<Outcome>;

async function takeParts(request: FastifyRequest, { type, boundary, size }: UploadHeaders, take: Take): Promise<Outcome[]> {
  if (size > MAX_REQUEST_BYTES) {
    throw new CxrError('TOO_LARGE', 'The request is larger than 1 GiB: send the files in several.');
  }
  const outcomes: Outcome[] = [];
  const patience = createPatience();
  try {
    for await (const { fileName, stream } of partsOf(request.raw, boundary, patience)) {
      if (type === 'multipart/form-data' && fileName === null)
        stream.resume(); // a form's text field
      else outcomes.push(await take({ fileName, stream, request, patience, stop: false }));
    }
  } catch (error) {
    // What came before is stored and must be told; the sender sends the rest again, which is idempotent.
    if (!(error instanceof CxrError) || outcomes.length === 0) throw error;
    outcomes.push({ fileName: null, sop: NO_SOP, error: publicError(error, scope(request)) });
  }
  if (outcomes.length === 0) throw new CxrError('BAD_INPUT', 'The request holds no file. With curl: -F file=@image.png');
  return outcomes;
}

const NO_SOP = { sopClassUid: null, sopInstanceUid: null };

/** A bare body is one file; its name comes with `?name=` or a Content-Disposition header. */
function takeBare(request: FastifyRequest, { size, fileName }: UploadHeaders, take: Take): Promise<Outcome> {
  const { name = fileName } = parse(UploadQuerySchema, request.query);
  if (size > MAX_FILE_BYTES) throw tooLarge(name ?? 'The upload');
  return take({ fileName: name, stream: request.raw as IncomingMessage, request, patience: createPatience(), stop: true });
}

interface Reception {
  archive: Archive;
  gate: Gate;
  requireRoom: RequireRoom;
}

/** A file takes its place among those that are worked on when all of it has arrived: a slow sender keeps none from others. */
async function outcomeOf(
  { archive, gate, requireRoom }: Reception,
  { fileName, stream, request, patience, stop }: IncomingFile,
): Promise<Outcome> {
  let sop: SopReference = NO_SOP;
  try {
    const { source, size, discard } = await receiveBody(stream, { where: fileName ?? 'The upload', patience, stop });
    try {
      return await gate(async (): Promise<Outcome> => {
        const inspected = await inspectUpload(archive, { source, fileName });
        sop = inspected.sop;
        if ('refused' in inspected) return { fileName, sop, error: inspected.refused };
        // The disk may have filled since the request began.
        await requireRoom(size);
        return { fileName, sop, added: await addImage(archive, { source, fileName }, inspected) };
      });
    } finally {
      await discard();
    }
  } catch (error) {
    return { fileName, sop, error: publicError(error, scope(request)) };
  }
}

const scope = (request: FastifyRequest) => ({ log: request.log, requestId: request.id });

function answerJson(reply: FastifyReply, outcomes: readonly Outcome[]): FastifyReply {
  const answer = jsonAnswer(outcomes);
  const [first] = answer.rejected;
  return reply.code(first && answer.studies.length === 0 ? statusOf(first.code) : 200).send(answer);
}

/** 200: all stored; 202: some; 409: none (PS3.18 10.5.3). */
function answerStow(reply: FastifyReply, outcomes: readonly Outcome[]): FastifyReply {
  const failures = outcomes.filter((outcome) => 'error' in outcome).length;
  const status = failures === 0 ? 200 : failures < outcomes.length ? 202 : 409;
  return reply
    .code(status)
    .header('content-type', 'application/dicom+json')
    .send(Buffer.from(JSON.stringify(dicomAnswer(outcomes))));
}
