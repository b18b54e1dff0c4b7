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

/** Other names of the 14: the box list's, and those of other data sets. */
const ALIASES: Record<string, Finding> = { infiltrate: 'Infiltration', infiltrates: 'Infiltration', 'pleural effusion': 'Effusion' };

const BY_KEY = new Map<string, Finding>([
  ...FINDINGS.map((finding) => [keyOf(finding), finding] as const),
  ...Object.entries(ALIASES).map(([name, finding]) => [keyOf(name), finding] as const),
]);

/**
 * The finding a text names: any case; blanks, hyphens or nothing for the underscore; "Infiltrate" for Infiltration, "Pleural Effusion" for
 * Effusion. BAD_INPUT when it names none.
 */
export function parseFinding(text: string): Finding {
  const finding = findingNamed(text);
  if (!finding) throw new CxrError('BAD_INPUT', `Unknown finding "${text.slice(0, 60)}": expected one of ${FINDINGS.join(', ')}.`);
  return finding;
}

/** As `parseFinding`; null when the text names none. */
export function findingNamed(text: string): Finding | null {
  return BY_KEY.get(keyOf(text)) ?? null;
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
  return text.toLowerCase().replaceAll(/[\s_-]+/g, '');
}
