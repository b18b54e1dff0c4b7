import { existsSync } from 'node:fs';
import path from 'node:path';

export { sixteenBitPng } from './tests/png.ts';

/** What a test may need that a machine may lack. */
export type Requirement = 'samples' | 'dicom' | 'browser';

const SAMPLES = path.resolve(import.meta.dirname, '../../../../shared');

/**
 * The absolute path of something a test needs; `relative` counts from `CXR_SAMPLES` (default: the folder `shared` beside the project).
 * When it is absent the test is skipped with a reason, or fails where `CXR_REQUIRE` (a comma list) names this kind.
 */
export function requireOrSkip(ctx: { skip(note?: string): never }, kind: Requirement, relative: string): string {
  const found = path.resolve(process.env['CXR_SAMPLES'] || SAMPLES, relative);
  if (existsSync(found)) return found;
  const reason = `${kind}: ${relative} is absent${kind === 'browser' ? '' : '; CXR_SAMPLES names the folder that holds it'}`;
  const required = (process.env['CXR_REQUIRE'] ?? '').split(',').map((word) => word.trim());
  if (required.includes(kind)) throw new Error(`${reason}, and CXR_REQUIRE demands it`);
  return ctx.skip(reason);
}
