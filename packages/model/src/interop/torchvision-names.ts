import { CxrError } from '@cxr-lens/data';
import { shown } from '../safetensors-header.ts';
import type { TorchvisionNetwork } from '../spec/imported.ts';
import { HEADS } from './torchvision.ts';

/** Attributes that hold the network in DataParallel, Lightning modules, people's own classes, and torch.compile. */
const WRAPPERS = ['module', 'model', 'net', 'backbone', '_orig_mod'];

/** The names that people give a last layer; `classifier.1` is the one of a Sequential. */
const HEAD = /^(?:classifier|fc|head)(?:\.\d+)?\.(weight|bias)$/;

/** Layers of DenseNet's `features`, which people also keep alone, or as the first of a Sequential. */
const FEATURES = /^(?:features\.(?:0\.)?)?(?=(?:conv0|norm\d+|denseblock\d+|transition\d+)\.)/;

/** PyTorch's losses keep their class weights beside the network that they train. */
const OF_LOSS = /(^|\.)pos_weight$/;

/**
 * The names of a checkpoint by torchvision's present names of the same tensors, in the checkpoint's order. Wrappers' prefixes are left out
 * wherever they stand, as is any other prefix that all tensors but the head share.
 * CxrError BAD_INPUT where two tensors have one name.
 */
export function plainNames(network: TorchvisionNetwork, names: Iterable<string>): Map<string, string> {
  const wrappers = new RegExp(`^(?:(?:${[...WRAPPERS, network].join('|')})\\.)+`);
  const unwrapped = [...names].filter((name) => !OF_LOSS.test(name)).map((name) => [name, name.replace(wrappers, '')] as const);
  const shared = sharedPrefix(unwrapped.map(([, name]) => name).filter((name) => !HEAD.test(name)));
  const plain = new Map<string, string>();
  for (const [name, inner] of unwrapped) {
    const stripped = (inner.startsWith(shared) ? inner.slice(shared.length) : inner).replace(wrappers, '');
    const now = stripped
      .replace(HEAD, `${HEADS[network]}.$1`)
      .replace(FEATURES, 'features.')
      // torchvision before 0.3
      .replace(/(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)/, '$1');
    const other = plain.get(now);
    if (other !== undefined) {
      const expected = HEAD.test(stripped) ? 'expected a head of one linear layer' : 'expected it once';
      throw new CxrError('BAD_INPUT', `The weights have tensor ${now} twice, as ${shown(other)} and as ${shown(name)}; ${expected}.`);
    }
    plain.set(now, name);
  }
  return plain;
}

/** `a.b.` of `a.b.c` and `a.b.d.e`. */
function sharedPrefix([first = '', ...names]: readonly string[]): string {
  let shared = first.slice(0, first.lastIndexOf('.') + 1);
  for (const name of names) {
    while (!name.startsWith(shared)) shared = shared.slice(0, shared.lastIndexOf('.', shared.length - 2) + 1);
  }
  return shared;
}
