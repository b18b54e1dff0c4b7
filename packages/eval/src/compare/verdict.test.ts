import { BOXED_FINDINGS, FINDINGS } from '@cxr-lens/data';
import { describe, expect, it } from 'vitest';
import { PAPER_CLAIMS, paperClaim } from './claims.ts';
import { adjusted, claimVerdict } from './verdict.ts';

const tested = (difference: number, half: number, adjustedP: number | null) =>
  adjusted({ difference, interval: adjustedP === null ? null : ([difference - half, difference + half] as [number, number]) }, adjustedP);

describe('claimVerdict', () => {
  it('lets a direction hold only by the adjusted test', () => {
    expect(claimVerdict('higher', tested(0.1, 0.05, 0.01))).toBe('holds');
    expect(claimVerdict('lower', tested(0.1, 0.05, 0.01))).toBe('does not hold');
    expect(claimVerdict('lower', tested(-0.1, 0.05, 0.01))).toBe('holds');
    // its own interval leaves out zero, the adjusted test does not
    expect(claimVerdict('higher', tested(0.1, 0.09, 0.05))).toBe('cannot be told');
    expect(claimVerdict('higher', tested(0.1, 0.05, null))).toBe('cannot be told');
  });

  it('lets comparable hold only by an interval within 0.05, and fail beyond it or by the opposite direction', () => {
    const says = 'comparable, still higher';
    expect(claimVerdict(says, tested(0.01, 0.04, 0.8))).toBe('holds');
    expect(claimVerdict(says, tested(0.03, 0.015, 0.01))).toBe('holds'); // still higher, told
    expect(claimVerdict(says, tested(0.01, 0.05, 0.8))).toBe('cannot be told');
    expect(claimVerdict(says, tested(0.1, 0.049, 0.01))).toBe('does not hold');
    expect(claimVerdict(says, tested(-0.03, 0.015, 0.01))).toBe('does not hold');
    expect(claimVerdict('comparable, still lower', tested(-0.03, 0.015, 0.01))).toBe('holds');
    expect(claimVerdict(says, tested(0, 0.01, null))).toBe('cannot be told');
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
