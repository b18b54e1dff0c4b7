import { closeInference } from '../inference.ts';
import { NETWORKS, type NetworkName } from '../spec/networks.ts';
import type { TrainOptions } from '../spec/options.ts';
import { PRESETS, type PresetName } from '../spec/presets.ts';
import { densenet } from './densenet.ts';
import type { Network, NetworkOptions } from './network.ts';
import { patchResnet } from './patch-resnet.ts';
import { resnet } from './resnet.ts';
import { vae } from './vae.ts';

/** The training options that a network is built by. */
type NetworkTraits = Pick<TrainOptions, 'pooling' | 'lseSharpness' | 'patchGrid' | 'patchProducts' | 'patchInitialBias' | 'precision'>;

type BuildOptions = NetworkOptions & { preset: PresetName } & Partial<NetworkTraits>;

/** The network of that name and size, with seeded initial weights. */
export function networkOf(name: NetworkName, options: BuildOptions): Network {
  const { preset, mean, std, runningMomentum, pooling, lseSharpness, patchGrid, patchProducts, precision = 'float32' } = options;
  const key = JSON.stringify([name, preset, mean, std, runningMomentum, pooling, lseSharpness, patchGrid, patchProducts]);
  const made = build(name, options);
  const network: Network = {
    ...made,
    key,
    precision,
    dispose() {
      closeInference(network);
      made.dispose();
    },
  };
  return network;
}

function build(
  name: NetworkName,
  {
    preset,
    pooling = 'average',
    lseSharpness = 10,
    patchGrid: grid = 20,
    patchProducts: products = 'mapped',
    patchInitialBias: initialBias = 0,
    ...options
  }: BuildOptions,
): Network {
  const { inputSize } = PRESETS[preset];
  const table = { ...NETWORKS[name][preset], name, inputSize };
  if ('growth' in table) return densenet(table, options);
  if ('latent' in table) return vae(table, options);
  if (name === 'resnet50-patches' || name === 'preact-resnet50-patches') {
    const preactivation = name === 'preact-resnet50-patches';
    return patchResnet({ ...table, preactivation }, { ...options, grid, products, initialBias });
  }
  const transition = name === 'resnet50-transition' ? table.transition : null;
  return resnet({ ...table, transition }, { ...options, pooling, lseSharpness });
}
