import path from 'node:path';

/** The folder that holds all state (runs, data, objects, postgres): `CXR_HOME`, or `.cxr-lens` in the working folder; absolute. */
export function cxrHome(): string {
  return path.resolve(process.env['CXR_HOME'] || '.cxr-lens');
}
