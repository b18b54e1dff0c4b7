import { FOLDS } from '@cxr-lens/eval';
import { METHODS, type MethodName } from '@cxr-lens/model/spec';

/** What shows where a method looks: its class activation map, scores of patches, or what a walk changes in the decoded image. */
export type MapKind = 'CAM' | 'PATCH_SCORES' | 'WALK_DIFFERENCE';

const MAP_KINDS = { bce: 'CAM', 'weighted-ce': 'CAM', patches: 'PATCH_SCORES', elbo: 'WALK_DIFFERENCE' } as const;

export const mapKind = (method: MethodName): MapKind => MAP_KINDS[METHODS[method].loss];

/** How the method's localisation is measured before any other way. */
export const mainProtocol = (method: MethodName): string => METHODS[method].protocols[0];

/** What has to be said wherever the method is shown beside others, which is why it is drawn apart; null for the paper's own. */
export const methodNote = (method: MethodName): string | null =>
  method === 'generative' ? "Generative is our addition, in none of the paper's figures." : null;

/** How many parts of the boxed patients there are, of which a run leaves one out (option `fold`); null where no boxes are trained on. */
export const methodFolds = (method: MethodName): number | null => (METHODS[method].loss === 'patches' ? FOLDS : null);
