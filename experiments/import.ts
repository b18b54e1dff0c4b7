import type { Experiment } from './experiment.ts';

// npx --no cxr-lens import imagenet/densenet121.safetensors --network densenet121 --out runs/imagenet-densenet121
// npx --no cxr-lens import imagenet/resnet50.safetensors --network resnet50 --out runs/imagenet-resnet50
export const experiment: Experiment = {
  name: 'import',
  row: "ImageNet weights, torchvision's (docs/import.md): the paper does not say what its networks start from; those it compares with do so",
  after: [],
  commands: ({ imagenet, runs }) =>
    (['densenet121', 'resnet50'] as const).map((network) => [
      'import',
      `${imagenet}/${network}.safetensors`,
      '--network',
      network,
      '--out',
      `${runs}/imagenet-${network}`,
    ]),
  hardware: 'any machine',
  hours: 0.01,
  expected: 'two folders of imported weights',
};
