import type { Protocol } from './types.ts';

/** The paper's own way (section 3.3, after Li et al.). */
export const PAPER_PROTOCOL: Protocol = {
  name: 'paper',
  description:
    'CAM brought to 224 x 224 bilinearly, scaled to [0, 255] per image; region: value >= threshold, as it is; hit: IoU with the box > T(IoU). ' +
    'Patients shuffled into five parts: one part chooses the threshold per finding (highest mean accuracy over T), the other four are scored; mean over five folds.',
};

/** The levels of the heat map at which NIH looks for regions (Wang et al. 2017, section 4.2). */
export const NIH_LEVELS = [60, 180] as const;

/** NIH's own way (Wang et al. 2017): boxes are made from the map, and any of them may hit. */
export const NIH_PROTOCOL: Protocol = {
  name: 'nih',
  description:
    'Heat map brought to 224 x 224 bilinearly, scaled to [0, 255] per image; a box around each 8-connected region of value >= 60, and around each ' +
    'of value >= 180; hit: any of these boxes has IoU with the box > T(IoU). No threshold is chosen, every pair is scored once.',
};

/** Scores of patches above this belong to the region (Li et al. 2018). */
export const PATCH_THRESHOLD = 0.5;

/** The way of a network that scores patches (Li et al. 2018): its probabilities say themselves what belongs to the region. */
export const PATCHES_PROTOCOL: Protocol = {
  name: 'patches',
  description:
    'Patches with a score > 0.5, brought to 224 x 224 by nearest neighbour, are the region, as it is; hit: IoU with the box > T(IoU). ' +
    'No threshold is chosen, every pair is scored once, by a network that was not trained on its box.',
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
