import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { claimVerdict, type Tested } from './answer.ts';
import { PAPER_CLAIMS, paperClaim } from './claims.ts';

/** As found where `found`. */
const tested = (difference: number, half: number, found: boolean): Tested => ({
  difference,
  interval: [difference - half, difference + half],
  adjustedP: found ? 0.01 : 0.3,
  standardError: 0,
  direction: found ? (difference > 0 ? 'higher' : 'lower') : 'no difference detected',
});

describe('claimVerdict', () => {
  it('lets a direction hold only where it was found', () => {
    expect(claimVerdict('higher', tested(0.1, 0.05, true))).toBe('holds');
    expect(claimVerdict('lower', tested(0.1, 0.05, true))).toBe('does not hold');
    expect(claimVerdict('lower', tested(-0.1, 0.05, true))).toBe('holds');
    // its own interval leaves out zero, the adjusted test does not
    expect(claimVerdict('higher', tested(0.1, 0.09, false))).toBe('undecided');
  });

  it('lets comparable hold only by an interval within 0.05, and fail only by a difference that was found', () => {
    const says = 'comparable, still higher';
    expect(claimVerdict(says, tested(0.01, 0.04, false))).toBe('holds');
    expect(claimVerdict(says, tested(0.03, 0.015, true))).toBe('holds');
    expect(claimVerdict(says, tested(0.01, 0.05, false))).toBe('undecided');
    expect(claimVerdict(says, tested(0.1, 0.049, true))).toBe('does not hold');
    expect(claimVerdict(says, tested(0.1, 0.049, false))).toBe('undecided');
    expect(claimVerdict(says, tested(-0.03, 0.015, true))).toBe('does not hold');
    expect(claimVerdict('comparable, still lower', tested(-0.03, 0.015, true))).toBe('holds');
  });

  it('decides nothing without an interval, or by one without width', () => {
    const few: Tested = { difference: 0, interval: null, adjustedP: null, standardError: null, direction: 'no difference detected' };
    for (const says of ['higher', 'comparable, still higher'] as const) {
      expect(claimVerdict(says, few)).toBe('undecided');
      expect(claimVerdict(says, tested(0, 0, false))).toBe('undecided');
    }
  });
});

describe('PAPER_CLAIMS', () => {
  it('are those of sections 4.1 and 4.2', () => {
    const says = (about: 'localization' | 'auc', a: string, b: string) =>
      [...FINDINGS, 'mean' as const].flatMap((finding) => {
        const claim = paperClaim({ about, a, b, finding });
        return claim ? [`${finding} ${claim.says}`] : [];
      });
    expect(says('localization', 'robust', 'baseline')).toEqual([
      'Atelectasis comparable, still higher',
      'Cardiomegaly higher',
      'Effusion comparable, still higher',
      'Infiltration higher',
      'Mass comparable, still higher',
      'Nodule lower',
      'Pneumonia higher',
      'Pneumothorax comparable, still higher',
    ]);
    expect(says('localization', 'supervised', 'baseline').filter((claim) => !claim.endsWith('higher'))).toEqual(['Nodule lower']);
    expect(says('localization', 'supervised', 'robust')).toHaveLength(7);
    expect(says('localization', 'supervised', 'chexnet')).toEqual(BOXED_FINDINGS.map((finding) => `${finding} higher`));
    expect(new Set(says('auc', 'chexnet', 'supervised')).size).toBe(15);
    expect(says('auc', 'baseline', 'chexnet').every((claim) => claim.endsWith('lower'))).toBe(true);
    for (const [about, a, b] of [
      ['auc', 'robust', 'baseline'],
      ['localization', 'nih-star', 'baseline'],
      ['localization', 'generative', 'baseline'],
    ] as const) {
      expect(says(about, a, b)).toEqual([]);
    }
  });

  it('say each thing once', () => {
    const keys = PAPER_CLAIMS.map(({ about, a, b, finding }) => `${about} ${[a, b].sort().join()} ${finding}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
