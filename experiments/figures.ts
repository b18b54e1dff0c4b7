import { SWEEP_EPSILONS } from '@cxr-lens/model/spec';
import { type Experiment, ONE_GPU } from './experiment.ts';

const COMPARED = ['baseline', 'robust', 'chexnet', 'nih', 'nih-star'];
const FOLDS = [0, 1, 2, 3, 4].map((fold) => `supervised-${fold}`);

// npx --no cxr-lens evaluate runs/baseline runs/robust runs/chexnet runs/nih runs/nih-star runs/supervised-0 ... runs/supervised-4 --data nih-224.cxr
// npx --no cxr-lens compare runs/baseline runs/robust runs/chexnet runs/nih runs/nih-star --data nih-224.cxr
export const experiment: Experiment = {
  name: 'figures',
  row: "Fig. 1 to 4, tables, and the paper's findings in words",
  after: [...COMPARED, 'supervised', 'epsilon-sweep'],
  commands: ({ data, runs }) => {
    const folders = (names: readonly string[]): string[] => names.map((name) => `${runs}/${name}`);
    return [
      ['evaluate', ...folders([...COMPARED, ...FOLDS]), '--data', data],
      // Fig. 4, of runs that differ in epsilon alone.
      ['evaluate', ...folders(SWEEP_EPSILONS.map((epsilon) => `epsilon-sweep/epsilon-${epsilon}`)), '--data', data],
      ['compare', ...folders(COMPARED), '--data', data],
    ];
  },
  hardware: ONE_GPU,
  hours: 1,
  expected:
    'per pathology whether Robust over Baseline holds, does not hold, or is undecided; published curves beside ours, each with its protocol',
};
