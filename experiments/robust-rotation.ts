import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train robust --data nih-224.cxr --out runs/robust-rotation --from runs/baseline --set perturbation=spatial
export const experiment: Experiment = {
  name: 'robust-rotation',
  row: 'Section 5, future work: rotations as perturbations',
  after: ['baseline'],
  commands: (places) => [train(places, 'robust', { name: 'robust-rotation', from: 'baseline', settings: ['perturbation=spatial'] })],
  hardware: ONE_GPU,
  hours: 7,
  expected: 'not in the paper',
};
