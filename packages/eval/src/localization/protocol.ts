import type { Protocol } from './types.ts';

/** The paper's own way (section 3.3, after Li et al.). */
export const PAPER_PROTOCOL: Protocol = {
  name: 'paper',
  description:
    'CAM brought to 224 x 224 bilinearly, scaled to [0, 255] per image; region: value >= threshold, as it is; hit: IoU with the box > T(IoU). ' +
    'Patients shuffled into five parts: one part chooses the threshold per finding (highest mean accuracy over T), the other four are scored; mean over five folds.',
};

/** One threshold for every finding, no folds: `metrics localization --threshold`. */
export function fixedProtocol(threshold: number): Protocol {
  return {
    name: `fixed-${threshold}`,
    description:
      `Map brought to 224 x 224 bilinearly, scaled to [0, 255] per image; region: value >= ${threshold}, as it is; ` +
      'hit: IoU with the box > T(IoU). Every pair is scored once.',
  };
}
