import { existsSync } from 'node:fs';
import path from 'node:path';

export { mountDisk } from './tests/disk.ts';
export { greyJpeg, sixteenBitPng } from './tests/png.ts';

type Files = 'samples' | 'dicom' | 'browser';

/** What a test may need that a machine may lack. */
export type Requirement = Files | 'python' | 'torch';

/** A test's context: what skips it. */
export interface Skip {
  skip(note?: string): never;
}

const SAMPLES = path.resolve(import.meta.dirname, '../../../../shared');

/**
 * The absolute path of something a test needs; `relative` counts from `CXR_SAMPLES` (default: the folder `shared` beside the project).
 * Where it is absent: `skipOrFail`.
 */
export function requireOrSkip(ctx: Skip, kind: Files, relative: string): string {
  const found = path.resolve(process.env['CXR_SAMPLES'] || SAMPLES, relative);
  if (existsSync(found)) return found;
  const remedy = kind === 'browser' ? '' : '; CXR_SAMPLES names the folder that holds it';
  return skipOrFail(ctx, kind, `${relative} is absent${remedy}`);
}

/** Whether `CXR_REQUIRE` (a comma list) names the kind. */
export function isRequired(kind: Requirement): boolean {
  const required = (process.env['CXR_REQUIRE'] ?? '').split(',').map((word) => word.trim());
  return required.includes(kind);
}

/** Skips the test with the reason, or fails where `CXR_REQUIRE` names the kind. */
export function skipOrFail(ctx: Skip, kind: Requirement, reason: string): never {
  if (isRequired(kind)) throw new Error(`${kind}: ${reason}, and CXR_REQUIRE demands it`);
  return ctx.skip(`${kind}: ${reason}`);
}
