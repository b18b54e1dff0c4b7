import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train chexnet --data nih-224.cxr --out runs/chexnet-robust --from runs/chexnet --set perturbation=linf
export const experiment: Experiment = {
  name: 'chexnet-robust',
  row: 'Section 5: adversarial training does not depend on the architecture',
  after: ['chexnet'],
  commands: (places) => [train(places, 'chexnet', { name: 'chexnet-robust', from: 'chexnet', settings: ['perturbation=linf'] })],
  hardware: ONE_GPU,
  hours: 5,
  expected: 'not in the paper: whether CheXNet, trained on with FGSM, localises better than CheXNet',
};
