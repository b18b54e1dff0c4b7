import { type Experiment, ONE_GPU } from './experiment.ts';

// npx --no cxr-lens sweep --from runs/baseline --data nih-224.cxr --out runs/epsilon-sweep
export const experiment: Experiment = {
  name: 'epsilon-sweep',
  row: 'Fig. 4: Robust over growing epsilon, 0 to 0.02',
  after: ['baseline'],
  commands: ({ data, runs }) => [['sweep', '--from', `${runs}/baseline`, '--data', data, '--out', `${runs}/epsilon-sweep`]],
  hardware: ONE_GPU,
  hours: 18,
  expected: 'the larger epsilon, the more the saliency keeps to the most salient feature',
};
