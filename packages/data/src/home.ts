import path from 'node:path';

/** The folder that holds all state (runs, data, objects, postgres): `CXR_HOME`, or `.cxr-lens` in the working folder; absolute. */
export function cxrHome(): string {
  return path.resolve(process.env['CXR_HOME'] || '.cxr-lens');
}

/** Of processes that write below `cxrHome()`: images of patients and the database are open to no other account. Files 0600, folders 0700. */
export const PRIVATE_UMASK = 0o077;
