import { exportOnnx, exportSafetensors, exportSavedModel } from './interop/export.ts';
import { loadRun } from './load-run.ts';
import type { ExportFormat, Run } from './spec/index.ts';

const WRITERS = { safetensors: exportSafetensors, savedmodel: exportSavedModel, onnx: exportOnnx } as const satisfies Record<
  ExportFormat,
  typeof exportOnnx
>;

/**
 * Writes the network of a finished run for other programs. CxrError those of `loadRun`, CONFLICT where a SavedModel's folder is not
 * empty, UNAVAILABLE where nothing can be written.
 */
export function exportRun(folder: string, { format, out }: { format: ExportFormat; out: string }): Run {
  const { network, run, card, dispose } = loadRun(folder);
  try {
    const { mean, std } = card.normalisation;
    const origin = {
      run: run.id,
      weightsSha256: card.weightsSha256,
      preset: run.preset,
      normalisation: { mean, std },
      pooling: card.pooling,
    };
    WRITERS[format](network, out, origin);
    return run;
  } finally {
    dispose();
  }
}
