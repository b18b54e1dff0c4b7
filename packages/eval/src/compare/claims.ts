import { BOXED_FINDINGS, type BoxedFinding, FINDINGS, type Finding } from '@cxr-lens/data';

/** The methods of the paper's figures, by their names in the methods' registry. */
type PaperMethod = 'baseline' | 'robust' | 'chexnet' | 'nih' | 'nih-star' | 'supervised';

/** How the first method stands to the second. */
export type ClaimedRelation = 'higher' | 'lower' | 'comparable, still higher' | 'comparable, still lower';

/** What the paper says of one method beside another for one finding. Its figures print no values: findings are compared, not numbers. */
export interface PaperClaim {
  about: 'localization' | 'auc';
  a: PaperMethod;
  b: PaperMethod;
  /** 'mean': over the findings. */
  finding: Finding | 'mean';
  /** a to b. */
  says: ClaimedRelation;
  source: string;
}

/** Section 4.2: "improvement in localization accuracy for Cardiomegaly, Pneumonia, and Infiltration, [...] lower accuracy for the Nodule class and comparable (still higher) results for the rest". */
const ROBUST_OVER_BASELINE: Record<BoxedFinding, ClaimedRelation> = {
  Atelectasis: 'comparable, still higher',
  Cardiomegaly: 'higher',
  Effusion: 'comparable, still higher',
  Infiltration: 'higher',
  Mass: 'comparable, still higher',
  Nodule: 'lower',
  Pneumonia: 'higher',
  Pneumothorax: 'comparable, still higher',
};

const OTHERS_OF_CHEXNET = ['baseline', 'robust', 'nih', 'nih-star', 'supervised'] as const;
const OTHERS_OF_SUPERVISED = ['baseline', 'robust', 'nih', 'nih-star'] as const;

/** Every claim of sections 4.1 and 4.2 that can be tested. Of Supervised beside Robust on Nodule the paper says nothing. */
export const PAPER_CLAIMS: readonly PaperClaim[] = [
  ...BOXED_FINDINGS.map(
    (finding): PaperClaim => ({
      about: 'localization',
      a: 'robust',
      b: 'baseline',
      finding,
      says: ROBUST_OVER_BASELINE[finding],
      source: 'section 4.2, Fig. 3',
    }),
  ),
  ...OTHERS_OF_CHEXNET.flatMap((b): PaperClaim[] => [
    ...([...FINDINGS, 'mean'] as const).map((finding): PaperClaim => {
      return { about: 'auc', a: 'chexnet', b, finding, says: 'higher', source: 'section 4.1, Fig. 2' };
    }),
    ...BOXED_FINDINGS.map((finding): PaperClaim => {
      return { about: 'localization', a: 'chexnet', b, finding, says: 'lower', source: 'section 4.1, Fig. 3' };
    }),
  ]),
  ...OTHERS_OF_SUPERVISED.flatMap((b): PaperClaim[] =>
    BOXED_FINDINGS.filter((finding) => !(finding === 'Nodule' && b === 'robust')).map((finding): PaperClaim => {
      const says = finding === 'Nodule' && b === 'baseline' ? 'lower' : 'higher';
      return { about: 'localization', a: 'supervised', b, finding, says, source: 'section 4.1, Fig. 3' };
    }),
  ),
];

const TURNED: Record<ClaimedRelation, ClaimedRelation> = {
  higher: 'lower',
  lower: 'higher',
  'comparable, still higher': 'comparable, still lower',
  'comparable, still lower': 'comparable, still higher',
};

const BY_KEY = new Map(PAPER_CLAIMS.map((claim) => [keyOf(claim), claim]));

interface ClaimKey {
  about: PaperClaim['about'];
  a: string;
  b: string;
  finding: Finding | 'mean';
}

/** The paper's claim about two methods, turned to the order asked for; null where it makes none. */
export function paperClaim({ about, a, b, finding }: ClaimKey): PaperClaim | null {
  const claim = BY_KEY.get(keyOf({ about, a, b, finding }));
  if (claim) return claim;
  const turned = BY_KEY.get(keyOf({ about, a: b, b: a, finding }));
  return turned ? { ...turned, a: turned.b, b: turned.a, says: TURNED[turned.says] } : null;
}

function keyOf({ about, a, b, finding }: ClaimKey): string {
  return `${about}/${a}/${b}/${finding}`;
}
