import { CxrError } from './error.ts';

/** The 14 findings of NIH ChestX-ray14, always in this order: column j of every label matrix and every logit is `FINDINGS[j]`. */
export const FINDINGS = [
  'Atelectasis',
  'Cardiomegaly',
  'Effusion',
  'Infiltration',
  'Mass',
  'Nodule',
  'Pneumonia',
  'Pneumothorax',
  'Consolidation',
  'Edema',
  'Emphysema',
  'Fibrosis',
  'Pleural_Thickening',
  'Hernia',
] as const;

export type Finding = (typeof FINDINGS)[number];

/** The eight findings that NIH's box list marks: the first eight of `FINDINGS`. */
export const BOXED_FINDINGS = [
  'Atelectasis',
  'Cardiomegaly',
  'Effusion',
  'Infiltration',
  'Mass',
  'Nodule',
  'Pneumonia',
  'Pneumothorax',
] as const satisfies readonly Finding[];

export type BoxedFinding = (typeof BOXED_FINDINGS)[number];

const BY_KEY = new Map<string, Finding>([...FINDINGS.map((finding) => [keyOf(finding), finding] as const), ['infiltrate', 'Infiltration']]);

/**
 * The finding a text names: any case, blanks or hyphens for the underscore, and the box list's "Infiltrate" for Infiltration.
 * BAD_INPUT when it names none.
 */
export function parseFinding(text: string): Finding {
  const finding = BY_KEY.get(keyOf(text));
  if (!finding) throw new CxrError('BAD_INPUT', `Unknown finding "${text.slice(0, 60)}": expected one of ${FINDINGS.join(', ')}.`);
  return finding;
}

/** Whether NIH's box list marks this finding, so that its localisation can be measured. */
export function isBoxedFinding(finding: Finding): finding is BoxedFinding {
  return (BOXED_FINDINGS as readonly Finding[]).includes(finding);
}

/** The finding as a person reads it: `Pleural_Thickening` is "Pleural thickening". */
export function findingLabel(finding: Finding): string {
  const words = finding.replaceAll('_', ' ');
  return words.charAt(0) + words.slice(1).toLowerCase();
}

function keyOf(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '_');
}
