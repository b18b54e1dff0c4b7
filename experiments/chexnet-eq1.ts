import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train chexnet --data nih-224.cxr --out runs/chexnet-eq1 --from runs/imagenet-densenet121 --set positiveWeight=batch
export const experiment: Experiment = {
  name: 'chexnet-eq1',
  row: "Ablation of the paper's explanation: CheXNet with Eq. 1",
  after: ['import'],
  commands: (places) => [
    train(places, 'chexnet', { name: 'chexnet-eq1', from: 'imagenet-densenet121', settings: ['positiveWeight=batch'] }),
  ],
  hardware: ONE_GPU,
  hours: 5,
  expected: 'if the unweighted loss is the reason for poor maps, better maps than CheXNet at a lower AUC',
};
