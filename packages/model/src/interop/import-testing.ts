import { writeFileSync } from 'node:fs';
import { formula, readReference } from '../networks/testing.ts';
import { encodeSafetensors, type HostTensor } from '../safetensors.ts';
import type { TorchvisionNetwork } from '../spec/imported.ts';

/** Made by torchvision: packages/model/reference/interop.py. */
export const reference = readReference<Record<TorchvisionNetwork, { shapes: Record<string, number[]>; logits: number[] }>>('interop.json');

export function zeros(...shape: number[]): HostTensor {
  return { shape, data: new Float32Array(shape.reduce((product, side) => product * side, 1)) };
}

/** The network's weights without their numbers. */
export function emptyWeights(network: TorchvisionNetwork): Map<string, HostTensor> {
  return new Map(Object.entries(reference[network].shapes).map(([name, shape]) => [name, zeros(...shape)]));
}

/** interop.py's `parameter` of every tensor of torchvision's network. */
export function torchvisionWeights(network: TorchvisionNetwork): Map<string, HostTensor> {
  const tensors = Object.entries(reference[network].shapes).map(([name, shape]): [string, HostTensor] => {
    const size = shape.reduce((product, side) => product * side, 1);
    const fanIn = shape.slice(1).reduce((product, side) => product * side, 1);
    const scale = shape.length > 1 ? Math.sqrt(6 / fanIn) : 0.2;
    const shift = shape.length === 1 && /\.(running_var|weight)$/.test(name) ? 1 : 0;
    const exact = formula(name, size);
    const data = new Float32Array(size);
    for (let i = 0; i < size; i++) data[i] = shift + scale * exact[i]!;
    return [name, { shape, data }];
  });
  return new Map(tensors);
}

/** The same with ImageNet's head of 1000 outputs. */
export function imageNetWeights(network: TorchvisionNetwork): Map<string, HostTensor> {
  const head = network === 'densenet121' ? 'classifier' : 'fc';
  const channels = reference[network].shapes[`${head}.weight`]![1]!;
  return torchvisionWeights(network).set(`${head}.weight`, zeros(1000, channels)).set(`${head}.bias`, zeros(1000));
}

export function writeWeights(file: string, tensors: ReadonlyMap<string, HostTensor>): string {
  writeFileSync(file, encodeSafetensors(tensors));
  return file;
}
