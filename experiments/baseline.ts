import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train baseline --data nih-224.cxr --out runs/baseline --from runs/imagenet-densenet121
export const experiment: Experiment = {
  name: 'baseline',
  row: 'Table of networks, Fig. 2 and 3: Baseline',
  after: ['import'],
  commands: (places) => [train(places, 'baseline', { name: 'baseline', from: 'imagenet-densenet121' })],
  hardware: ONE_GPU,
  hours: 3,
  expected: "AUC near DenseNet-121's 0.822 on the official split (others' figure); localisation between CheXNet and Robust",
};
