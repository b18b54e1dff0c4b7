import { createHash } from 'node:crypto';
import { CxrError, getObject } from '@cxr-lens/data';
import type { PrismaClient } from '@cxr-lens/prisma';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { boxOf } from '../explanations.ts';
import { plainText } from '../input.ts';
import type { Threads } from '../threads/threads.ts';

// Part of every ETag: raise it when a picture of the same bytes is drawn differently.
const DRAWING = 'd1';

interface Options {
  prisma: PrismaClient;
  threads: Threads;
}

interface ById {
  Params: { id: string };
  Querystring: { v?: string };
}

/** GET of images and maps. What an address with its version names never changes, so that a browser keeps it for good. */
export function pictureRoutes(app: FastifyInstance, { prisma, threads }: Options): void {
  app.get<ById>('/images/:id.png', async (request, reply) => {
    const id = plainText('id', request.params.id);
    const image = await prisma.image.findUnique({ where: { id }, select: { objectKey: true } });
    if (!image) throw new CxrError('NOT_FOUND', `There is no image ${request.params.id}.`);
    const where = `Image ${request.params.id}`;
    const draw = async () => threads.run({ kind: 'image', bytes: await getObject(image.objectKey), where });
    return send(request, reply, { type: 'image/png', version: image.objectKey, immutable: true, draw });
  });

  for (const kind of ['cam', 'saliency'] as const) {
    const keyOf = (row: { camKey: string; saliencyKey: string }): string => (kind === 'cam' ? row.camKey : row.saliencyKey);
    app.get<ById>(`/explanations/:id/${kind}.png`, async (request, reply) => {
      const row = await explanation(prisma, request.params.id);
      const where = `The ${kind} of explanation ${row.id}`;
      const draw = async () => {
        const map = await getObject(keyOf(row));
        return kind === 'cam' ? threads.run({ kind, cam: map, where }) : threads.run({ kind, saliency: map, where });
      };
      return send(request, reply, { type: 'image/png', version: keyOf(row), immutable: isVersion(request, keyOf(row)), draw });
    });
    app.get<ById>(`/explanations/:id/${kind}.npy`, async (request, reply) => {
      const row = await explanation(prisma, request.params.id);
      const key = keyOf(row);
      const answer = { type: 'application/octet-stream', version: key, immutable: isVersion(request, key), draw: () => getObject(key) };
      reply.header('content-disposition', `attachment; filename="${row.finding}-${kind}.npy"`);
      return send(request, reply, answer);
    });
  }

  app.get<ById>('/explanations/:id/overlay.png', async (request, reply) => {
    const row = await explanation(prisma, request.params.id);
    const box = boxOf(row);
    const where = `The overlay of explanation ${row.id}`;
    const draw = async () => {
      const [bytes, cam] = await Promise.all([getObject(row.image.objectKey), getObject(row.camKey)]);
      return threads.run({ kind: 'overlay', bytes, cam, box, where });
    };
    const version = `${row.image.objectKey}${row.camKey}${JSON.stringify(box)}`;
    return send(request, reply, { type: 'image/png', version, immutable: isVersion(request, row.camKey), draw });
  });
}

async function explanation(prisma: PrismaClient, id: string) {
  const row = await prisma.explanation.findUnique({
    where: { id: plainText('id', id) },
    include: { image: { select: { objectKey: true } } },
  });
  if (!row) throw new CxrError('NOT_FOUND', `There is no explanation ${id}.`);
  return row;
}

/** An explanation made anew keeps its id: only an address that names this version may be kept for good. */
const isVersion = (request: FastifyRequest<ById>, key: string): boolean =>
  request.query.v !== undefined && request.query.v.length >= 8 && key.startsWith(request.query.v);

interface Answer {
  type: string;
  /** What the picture is drawn from. */
  version: string;
  immutable: boolean;
  draw(): Promise<Uint8Array>;
}

async function send(request: FastifyRequest, reply: FastifyReply, { type, version, immutable, draw }: Answer): Promise<FastifyReply> {
  const etag = `"${createHash('sha256').update(`${DRAWING} ${type} ${version}`).digest('base64url').slice(0, 27)}"`;
  reply.header('etag', etag).header('cache-control', immutable ? 'private, max-age=31536000, immutable' : 'private, no-cache');
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) return reply.code(304).send();
  const bytes = await draw();
  return reply.type(type).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
