import { describe, expect, it } from 'vitest';
import { BOXED_FINDINGS, FINDINGS, findingLabel, findingNamed, isBoxedFinding, parseFinding } from './findings.ts';

describe('findings', () => {
  it('are the 14 of NIH in the order of every matrix, the boxed ones first', () => {
    expect(FINDINGS).toHaveLength(14);
    expect(FINDINGS.slice(0, 8)).toEqual(BOXED_FINDINGS);
    expect([FINDINGS[0], FINDINGS[8], FINDINGS[13]]).toEqual(['Atelectasis', 'Consolidation', 'Hernia']);
    expect(FINDINGS.filter(isBoxedFinding)).toEqual(BOXED_FINDINGS);
  });

  it('are read back from their own names, their labels, and any case', () => {
    for (const finding of FINDINGS) {
      for (const text of [finding, findingLabel(finding), finding.toUpperCase(), ` ${finding.toLowerCase()} `])
        expect(parseFinding(text)).toBe(finding);
    }
    expect([parseFinding('Infiltrate'), parseFinding('pleural thickening')]).toEqual(['Infiltration', 'Pleural_Thickening']);
    for (const text of ['Pleural Effusion', 'pleural_effusion', 'PleuralEffusion']) expect(parseFinding(text)).toBe('Effusion');
    for (const text of ['Pleural Thickening', 'pleural-thickening', 'PleuralThickening'])
      expect(parseFinding(text)).toBe('Pleural_Thickening');
    expect([findingNamed('INFILTRATES'), findingNamed('Fracture')]).toEqual(['Infiltration', null]);
    expect(findingLabel('Pleural_Thickening')).toBe('Pleural thickening');
  });

  it.each(['', 'Lump', 'No Finding', 'Mass|Nodule'])('refuse "%s"', (text) => {
    expect(() => parseFinding(text)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });
});
