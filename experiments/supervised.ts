import { type Experiment, ONE_GPU, train } from './experiment.ts';

const FOLDS = [0, 1, 2, 3, 4];

// npx --no cxr-lens train supervised --data nih-224.cxr --out runs/supervised-0 --from runs/imagenet-resnet50 --set fold=0
// and with folds 1 to 4
export const experiment: Experiment = {
  name: 'supervised',
  row: 'Fig. 3: Supervised, five folds over the boxed images',
  after: ['import'],
  commands: (places) =>
    FOLDS.map((fold) => train(places, 'supervised', { name: `supervised-${fold}`, from: 'imagenet-resnet50', settings: [`fold=${fold}`] })),
  hardware: ONE_GPU,
  hours: 25,
  expected: 'the upper bound of localisation, yet below Baseline for Nodule',
};
