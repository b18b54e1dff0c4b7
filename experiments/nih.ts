import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train nih --data nih-224.cxr --out runs/nih --from runs/imagenet-resnet50
export const experiment: Experiment = {
  name: 'nih',
  row: 'Fig. 2 and 3: NIH, by the recipe of all networks',
  after: ['import'],
  commands: (places) => [train(places, 'nih', { name: 'nih', from: 'imagenet-resnet50' })],
  hardware: ONE_GPU,
  hours: 5,
  expected: 'Wang et al. print a mean AUC of 0.745 on the official split, and table 7 of localisation by their own protocol',
};
