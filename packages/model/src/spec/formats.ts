import { CxrError } from '@cxr-lens/data';

/** What a run's network can be written as. */
export const EXPORT_FORMATS = ['safetensors', 'savedmodel', 'onnx'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The format of that name; CxrError BAD_INPUT names the known ones. */
export function parseExportFormat(text: string): ExportFormat {
  const found = EXPORT_FORMATS.find((name) => name === text);
  if (!found) throw new CxrError('BAD_INPUT', `"${text}" is no export format; the formats are ${EXPORT_FORMATS.join(', ')}.`);
  return found;
}
