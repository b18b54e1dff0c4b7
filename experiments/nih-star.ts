import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train nih-star --data nih-224.cxr --out runs/nih-star --from runs/imagenet-resnet50
export const experiment: Experiment = {
  name: 'nih-star',
  row: "Fig. 2 and 3: NIH*, ResNet-50 by this paper's procedure",
  after: ['import'],
  commands: (places) => [train(places, 'nih-star', { name: 'nih-star', from: 'imagenet-resnet50' })],
  hardware: ONE_GPU,
  hours: 5,
  expected: 'curves near those of NIH; the values are not printed',
};
