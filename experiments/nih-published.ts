import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train nih --data nih-224.cxr --out runs/nih-published --from runs/imagenet-resnet50 --set recipe=published
export const experiment: Experiment = {
  name: 'nih-published',
  row: 'NIH by its own recipe: batch 80, 10,000 iterations',
  after: ['import'],
  commands: (places) => [train(places, 'nih', { name: 'nih-published', from: 'imagenet-resnet50', settings: ['recipe=published'] })],
  hardware: ONE_GPU,
  hours: 2.5,
  expected: 'Wang et al.: mean AUC 0.745, official split',
};
