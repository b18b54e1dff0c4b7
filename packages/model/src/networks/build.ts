import { CxrError } from '@cxr-lens/data';
import { NETWORKS, type NetworkName } from '../spec/networks.ts';
import type { TrainOptions } from '../spec/options.ts';
import { PRESETS, type PresetName } from '../spec/presets.ts';
import { densenet } from './densenet.ts';
import type { Network, NetworkOptions } from './network.ts';
import { resnet } from './resnet.ts';

type BuildOptions = NetworkOptions & { preset: PresetName } & Pick<TrainOptions, 'pooling' | 'lseSharpness'>;

/** The network of that name and size, with seeded initial weights. */
export function networkOf(
  name: NetworkName,
  { preset, pooling = 'average', lseSharpness = 10, ...options }: Omit<BuildOptions, 'pooling' | 'lseSharpness'> & Partial<BuildOptions>,
): Network {
  const { inputSize } = PRESETS[preset];
  const table = NETWORKS[name][preset];
  if ('growth' in table) return densenet({ ...table, name, inputSize }, options);
  if ('latent' in table || name.endsWith('-patches')) throw new CxrError('INTERNAL', `${name} is in no method.`);
  const transition = name === 'resnet50-transition' ? table.transition : null;
  return resnet({ ...table, name, inputSize, transition }, { ...options, pooling, lseSharpness });
}
