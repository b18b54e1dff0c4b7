import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { printedSchema } from './schema/schema.ts';

/** `npm run schema`: writes schema.graphql from the code. A test compares the two. */
writeFileSync(path.resolve(import.meta.dirname, '../schema.graphql'), printedSchema());
