import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train baseline --data nih-224.cxr --out runs/baseline-unweighted --from runs/imagenet-densenet121 --set positiveWeight=none
export const experiment: Experiment = {
  name: 'baseline-unweighted',
  row: "Ablation of the paper's explanation: Baseline with the unweighted loss",
  after: ['import'],
  commands: (places) => [
    train(places, 'baseline', { name: 'baseline-unweighted', from: 'imagenet-densenet121', settings: ['positiveWeight=none'] }),
  ],
  hardware: ONE_GPU,
  hours: 3,
  expected: 'if the unweighted loss is the reason for poor maps, worse maps than Baseline',
};
