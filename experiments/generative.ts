import { type Experiment, ONE_GPU, train } from './experiment.ts';

// npx --no cxr-lens train generative --data nih-224.cxr --out runs/generative
export const experiment: Experiment = {
  name: 'generative',
  row: 'After Biffi et al., cited by the paper and in none of its figures',
  after: [],
  commands: (places) => [train(places, 'generative', { name: 'generative' })],
  hardware: ONE_GPU,
  hours: 1,
  expected: 'not in the paper; drawn apart',
};
