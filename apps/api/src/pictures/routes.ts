import { createHash } from 'node:crypto';
import { CxrError, getObject } from '@cxr-lens/data';
import type { PrismaClient } from '@cxr-lens/prisma';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { boxOf } from '../explanations.ts';
import { ByIdSchema, parse, TextSchema } from '../input.ts';
import type { TaskRunner } from '../tasks/runner.ts';

// Part of every ETag: raise it when a picture of the same bytes is drawn differently.
const DRAWING = 'd2';

interface Options {
  prisma: PrismaClient;
  tasks: TaskRunner;
}

/** The version that an address names: the beginning of the key of what is drawn. */
const VersionSchema = z.object({ v: TextSchema.optional() });

/** The ETags of what a browser has already. */
const HeadersSchema = z.object({
  'if-none-match': z
    .string()
    .default('')
    .transform((tags) => tags.split(',').map((tag) => tag.trim().replace(/^W\//, ''))),
});

/** GET of images and maps. What an address with its version names never changes, so that a browser keeps it for good. */
export function pictureRoutes(app: FastifyInstance, { prisma, tasks }: Options): void {
  app.get('/images/:id.png', async (request, reply) => {
    const { id } = parse(ByIdSchema, request.params);
    const image = await prisma.image.findUnique({ where: { id }, select: { objectKey: true } });
    if (!image) throw new CxrError('NOT_FOUND', `There is no image ${id}.`);
    const where = `Image ${id}`;
    const draw = async () => tasks.run({ kind: 'image', bytes: await getObject(image.objectKey), where });
    return send(request, reply, { type: 'image/png', version: image.objectKey, immutable: true, draw });
  });

  for (const kind of ['cam', 'saliency'] as const) {
    const keyOf = (row: { camKey: string; saliencyKey: string }): string => (kind === 'cam' ? row.camKey : row.saliencyKey);
    app.get(`/explanations/:id/${kind}.png`, async (request, reply) => {
      const row = await explanation(prisma, request);
      const where = `The ${kind} of explanation ${row.id}`;
      const draw = async () => {
        const map = await getObject(keyOf(row));
        return kind === 'cam' ? tasks.run({ kind, cam: map, where }) : tasks.run({ kind, saliency: map, where });
      };
      return send(request, reply, { type: 'image/png', version: keyOf(row), immutable: isVersion(request, keyOf(row)), draw });
    });
    app.get(`/explanations/:id/${kind}.npy`, async (request, reply) => {
      const row = await explanation(prisma, request);
      const key = keyOf(row);
      const answer = { type: 'application/octet-stream', version: key, immutable: isVersion(request, key), draw: () => getObject(key) };
      reply.header('content-disposition', `attachment; filename="${row.finding}-${kind}.npy"`);
      return send(request, reply, answer);
    });
  }

  app.get('/explanations/:id/overlay.png', async (request, reply) => {
    const row = await explanation(prisma, request);
    const box = boxOf(row);
    const where = `The overlay of explanation ${row.id}`;
    const draw = async () => {
      const [bytes, cam] = await Promise.all([getObject(row.image.objectKey), getObject(row.camKey)]);
      return tasks.run({ kind: 'overlay', bytes, cam, box, where });
    };
    const version = `${row.image.objectKey}${row.camKey}${JSON.stringify(box)}`;
    return send(request, reply, { type: 'image/png', version, immutable: isVersion(request, row.camKey), draw });
  });
}

async function explanation(prisma: PrismaClient, request: FastifyRequest) {
  const { id } = parse(ByIdSchema, request.params);
  const row = await prisma.explanation.findUnique({ where: { id }, include: { image: { select: { objectKey: true } } } });
  if (!row) throw new CxrError('NOT_FOUND', `There is no explanation ${id}.`);
  return row;
}

/** An explanation made anew keeps its id: only an address that names this version may be kept for good. */
function isVersion(request: FastifyRequest, key: string): boolean {
  const { v } = parse(VersionSchema, request.query);
  return v !== undefined && v.length >= 8 && key.startsWith(v);
}

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
  const known = parse(HeadersSchema, request.headers)['if-none-match'];
  if (known.includes(etag) || known.includes('*')) return reply.code(304).send();
  const bytes = await draw();
  return reply.type(type).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
