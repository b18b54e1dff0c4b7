import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train chexnet --data nih-224.cxr --out runs/chexnet --from runs/imagenet-densenet121
export const experiment: Experiment = {
  name: 'chexnet',
  row: 'Fig. 2 and 3: CheXNet, by the recipe of all networks',
  after: ['import'],
  commands: (places) => [train(places, 'chexnet', { name: 'chexnet', from: 'imagenet-densenet121' })],
  hardware: ONE_GPU,
  hours: 5,
  expected: "the highest AUC of all methods and the lowest localisation accuracy; others' DenseNet-121 reach 0.822 on the official split",
};
