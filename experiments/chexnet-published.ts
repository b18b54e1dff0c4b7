import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train chexnet --data nih-224.cxr --out runs/chexnet-published --from runs/imagenet-densenet121 --set recipe=published
export const experiment: Experiment = {
  name: 'chexnet-published',
  row: 'CheXNet by its own recipe: Adam, plateau, flips',
  after: ['import'],
  commands: (places) => [
    train(places, 'chexnet', { name: 'chexnet-published', from: 'imagenet-densenet121', settings: ['recipe=published'] }),
  ],
  hardware: ONE_GPU,
  hours: 5,
  expected: 'Rajpurkar et al. print a mean AUC of 0.841 on a split of their own, never to be ranked with the official one',
};
