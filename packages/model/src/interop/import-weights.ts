import { CxrError, FINDINGS } from '@cxr-lens/data';
import type { HostTensor } from '../safetensors.ts';
import type { TorchvisionNetwork } from '../spec/imported.ts';
import { fromChannelsFirst, shapeChannelsFirst } from './layout.ts';
import { HEADS, sharedTensors } from './torchvision.ts';

/** Pixels' mean and standard deviation per channel that ImageNet's weights were trained with, of pixels in [0, 1]. */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** Weights under our names, in our layout. */
export interface ImportedWeights {
  tensors: Map<string, HostTensor>;
  /** `findings`: a head of 14 outputs came along, taken to be in the order of `FINDINGS`; `none`: it had other outputs and was left out. */
  head: 'findings' | 'none';
}

/**
 * torchvision's state_dict of the network to our names and layout. Read too: names of torchvision before 0.3 (`norm.1` for `norm1`), the
 * prefixes of a wrapped network (`module.`, `densenet121.`), and a head inside a sequence (`classifier.0.weight`), as CheXNet's
 * checkpoints have them. A head with other than 14 outputs (ImageNet's 1000) is left out.
 * CxrError BAD_INPUT names the first tensor that is missing, has another shape, or is unknown.
 */
export function importTensors(network: TorchvisionNetwork, tensors: ReadonlyMap<string, HostTensor>): ImportedWeights {
  const given = withPlainNames(network, tensors);
  const headNames = ['weight', 'bias'].map((kind) => `${HEADS[network]}.${kind}`);
  const outputs = given.get(headNames[0]!)?.shape[0];
  const head = outputs === FINDINGS.length ? 'findings' : 'none';
  const imported = new Map<string, HostTensor>();
  for (const { ours, theirs, shape } of sharedTensors(network, 'paper')) {
    const tensor = given.get(theirs);
    given.delete(theirs);
    if (head === 'none' && headNames.includes(theirs)) continue;
    const expected = shapeChannelsFirst(shape).join(' x ');
    if (!tensor) {
      throw new CxrError('BAD_INPUT', `The weights have no tensor ${theirs} (expected ${expected}); ${remedy(network)}`);
    }
    if (tensor.shape.join(' x ') !== expected) {
      throw new CxrError(
        'BAD_INPUT',
        `The weights' tensor ${theirs} is ${tensor.shape.join(' x ') || 'one number'}, expected ${expected}; ${remedy(network)}`,
      );
    }
    imported.set(ours, fromChannelsFirst(tensor));
  }
  const [unknown] = given;
  if (unknown) {
    const [name, { shape }] = unknown;
    throw new CxrError('BAD_INPUT', `The weights' tensor ${name} (${shape.join(' x ')}) is none of this network's; ${remedy(network)}`);
  }
  return { tensors: imported, head };
}

function remedy(network: TorchvisionNetwork): string {
  return `import the state_dict of torchvision's ${network}, which takes three channels.`;
}

/** The tensors by torchvision's present names, without those that are no weights. */
function withPlainNames(network: TorchvisionNetwork, tensors: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> {
  const plain = new Map<string, HostTensor>();
  for (const [name, tensor] of tensors) {
    const now = plainName(network, name);
    if (plain.has(now)) throw new CxrError('BAD_INPUT', `The weights have tensor ${now} twice, once as ${name}; expected it once.`);
    plain.set(now, tensor);
  }
  return plain;
}

function plainName(network: TorchvisionNetwork, name: string): string {
  return name
    .replace(/^module\./, '')
    .replace(new RegExp(`^${network}\\.`), '')
    .replace(/(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)/, '$1')
    .replace(new RegExp(`^${HEADS[network]}\\.0\\.`), `${HEADS[network]}.`);
}
