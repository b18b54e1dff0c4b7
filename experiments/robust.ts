import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train robust --data nih-224.cxr --out runs/robust --from runs/baseline
export const experiment: Experiment = {
  name: 'robust',
  row: 'Fig. 1, 2, 3: Robust, epsilon 0.005',
  after: ['baseline'],
  commands: (places) => [train(places, 'robust', { name: 'robust', from: 'baseline' })],
  hardware: ONE_GPU,
  hours: 3,
  expected: 'localises Cardiomegaly, Pneumonia and Infiltration better than Baseline, Nodule worse, the others at least as well',
};
