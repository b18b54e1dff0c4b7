import { CxrError, FINDINGS } from '@cxr-lens/data';
import type { HostTensor } from '../safetensors.ts';
import { shown } from '../safetensors-header.ts';
import { TORCHVISION_NETWORKS, type TorchvisionNetwork } from '../spec/imported.ts';
import { fromChannelsFirst, shapeChannelsFirst } from './layout.ts';
import { HEADS, type SharedTensor, sharedTensors } from './torchvision.ts';
import { plainNames } from './torchvision-names.ts';

/** Pixels' mean and standard deviation per channel that ImageNet's weights were trained with, of pixels in [0, 1]. */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** Weights under our names, in our layout. */
export interface ImportedWeights {
  tensors: Map<string, HostTensor>;
  /** `findings`: a head of 14 outputs came along, taken to be in the order of `FINDINGS`; `none`: it had other outputs and was left out. */
  head: 'findings' | 'none';
}

/**
 * torchvision's state_dict of the network to our names and layout, under any of the names that `plainNames` knows. A head with other than
 * 14 outputs (ImageNet's 1000) is left out.
 * CxrError BAD_INPUT names the first tensor that is missing, has another shape, is unknown, or has values that no network has: NaN,
 * infinity, a negative running variance.
 */
export function importTensors(network: TorchvisionNetwork, tensors: ReadonlyMap<string, HostTensor>): ImportedWeights {
  const names = plainNames(network, tensors.keys());
  const headNames = ['weight', 'bias'].map((kind) => `${HEADS[network]}.${kind}`);
  const outputs = tensors.get(names.get(headNames[0]!) ?? '')?.shape[0];
  const head = outputs === FINDINGS.length ? 'findings' : 'none';
  const all = sharedTensors(network, 'paper');
  const wanted = head === 'none' ? all.filter(({ theirs }) => !headNames.includes(theirs)) : all;
  const known = new Set(all.map(({ theirs }) => theirs));
  const unknown = [...names].filter(([plain]) => !known.has(plain)).map(([, name]) => name);
  checkNames(network, { names, wanted, unknown });
  const imported = new Map<string, HostTensor>();
  for (const { ours, theirs, shape } of wanted) {
    const name = names.get(theirs)!;
    const tensor = tensors.get(name)!;
    const expected = sizeOf(shapeChannelsFirst(shape));
    if (sizeOf(tensor.shape) !== expected) {
      throw new CxrError(
        'BAD_INPUT',
        `The weights' tensor ${shown(name)} is ${sizeOf(tensor.shape)}, expected ${expected}; import${stateDictOf(network)}`,
      );
    }
    checkValues(tensor.data, name);
    imported.set(ours, fromChannelsFirst(tensor));
  }
  return { tensors: imported, head };
}

/** Every wanted tensor is there, and no other. */
function checkNames(
  network: TorchvisionNetwork,
  { names, wanted, unknown }: { names: ReadonlyMap<string, string>; wanted: readonly SharedTensor[]; unknown: readonly string[] },
): void {
  const missing = wanted.filter(({ theirs }) => !names.has(theirs));
  const [first] = missing;
  if (!first && unknown.length === 0) return;
  const what = first
    ? `The weights have no tensor ${first.theirs} (expected ${sizeOf(shapeChannelsFirst(first.shape))})${missing.length > 1 ? `, nor ${missing.length - 1} others` : ''}.`
    : `The weights' tensor ${shown(unknown[0]!)} is none of this network's.`;
  const found = three(unknown.length > 0 ? unknown : [...names.values()]);
  const sought = three((first ? missing : wanted).map(({ theirs }) => theirs));
  const other = TORCHVISION_NETWORKS.find((candidate) => candidate !== network && hasLayersOf(candidate, [...names.values()]));
  const remedy = other ? `These are ${other}'s layers: --network ${other}.` : `Import${stateDictOf(network)}`;
  throw new CxrError('BAD_INPUT', `${what} Found: ${found}. Wanted: ${sought}. ${remedy}`);
}

function hasLayersOf(network: TorchvisionNetwork, names: readonly string[]): boolean {
  const layers = sharedTensors(network, 'paper').filter(({ theirs }) => !theirs.startsWith(`${HEADS[network]}.`));
  return layers.every(({ theirs }) => names.some((name) => name.endsWith(theirs)));
}

/** @param name the tensor's in the file */
function checkValues(data: Float32Array, name: string): void {
  const least = /(^|\.)running_var$/.test(name) ? 0 : -Infinity;
  for (let place = 0; place < data.length; place++) {
    const value = data[place]!;
    if (Number.isFinite(value) && value >= least) continue;
    const expected = Number.isFinite(value) ? 'a variance of 0 or more' : 'finite numbers';
    throw new CxrError(
      'BAD_INPUT',
      `The weights' tensor ${shown(name)} holds ${value} at place ${place}, expected ${expected}: such a network gives no answer. Import another checkpoint of it.`,
    );
  }
}

function stateDictOf(network: TorchvisionNetwork): string {
  return ` the state_dict of torchvision's ${network}, which takes three channels.`;
}

function sizeOf(shape: readonly number[]): string {
  return shape.join(' x ') || 'one number';
}

function three(names: readonly string[]): string {
  return names.slice(0, 3).map(shown).join(', ') || 'nothing';
}
