import { densenet } from '../networks/densenet.ts';
import type { Network } from '../networks/network.ts';
import { patchResnet } from '../networks/patch-resnet.ts';
import { resnet } from '../networks/resnet.ts';
import { fill, PIXELS } from '../networks/testing.ts';
import { vae } from '../networks/vae.ts';
import { NETWORKS } from '../spec/networks.ts';
import { PRESETS, type PresetName } from '../spec/presets.ts';
import type { Origin } from './export.ts';

export const ORIGIN: Origin = {
  run: 'run-1',
  weightsSha256: '5e'.repeat(32),
  preset: 'small',
  normalisation: { mean: PIXELS.mean, std: PIXELS.std },
  pooling: 'average',
};

// Small enough that residual sums do not grow with depth, large enough that every layer counts.
const SPREAD = 3;

function densenetOf(name: 'truncated-densenet121' | 'densenet121', preset: PresetName): Network {
  return densenet({ ...NETWORKS[name][preset], ...PRESETS[preset], name }, PIXELS);
}

function resnetOf(preset: PresetName, { transition, pooling }: { transition: boolean; pooling: 'lse' | 'max' | 'average' }): Network {
  const name = transition ? 'resnet50-transition' : 'resnet50';
  const table = NETWORKS[name][preset];
  return resnet(
    { ...table, ...PRESETS[preset], name, transition: transition ? table.transition : null },
    { ...PIXELS, pooling, lseSharpness: 10 },
  );
}

function patchesOf(preset: PresetName, { preactivation, grid }: { preactivation: boolean; grid: number }): Network {
  const name = preactivation ? 'preact-resnet50-patches' : 'resnet50-patches';
  const products = preactivation ? ({ products: 'mapped', initialBias: 0 } as const) : ({ products: 'raw', initialBias: -5 } as const);
  return patchResnet({ ...NETWORKS[name][preset], ...PRESETS[preset], name, preactivation }, { ...PIXELS, ...products, grid });
}

const BUILDERS = {
  'truncated-densenet121': (preset) => densenetOf('truncated-densenet121', preset),
  densenet121: (preset) => densenetOf('densenet121', preset),
  resnet50: (preset) => resnetOf(preset, { transition: false, pooling: 'average' }),
  'resnet50, maximum': (preset) => resnetOf(preset, { transition: false, pooling: 'max' }),
  'resnet50-transition, LSE': (preset) => resnetOf(preset, { transition: true, pooling: 'lse' }),
  'preact-resnet50-patches, enlarged': (preset) => patchesOf(preset, { preactivation: true, grid: 20 }),
  'resnet50-patches, pooled': (preset) => patchesOf(preset, { preactivation: false, grid: 2 }),
  vae: (preset) => vae({ ...NETWORKS.vae[preset], ...PRESETS[preset], name: 'vae' }, PIXELS),
} as const satisfies Record<string, (preset: PresetName) => Network>;

export type NetworkKind = keyof typeof BUILDERS;

/** Every kind of network that we have, each with its ways of pooling. */
export const NETWORK_KINDS = Object.keys(BUILDERS) as NetworkKind[];

/** A network of the kind with weights and moving averages that are no defaults. */
export function filledNetwork(kind: NetworkKind, preset: PresetName): Network {
  return fill(BUILDERS[kind](preset), SPREAD);
}
