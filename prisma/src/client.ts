import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../generated/client/client.ts';

/** A client of the database at `url`; it connects with its first query. Call `$disconnect()` at the end. */
export function createPrisma(url: string, options: { connections?: number } = {}): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: options.connections ?? 10 }) });
}
