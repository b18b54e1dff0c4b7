import { writeFileSync } from 'node:fs';
import { formula, readReference } from '../networks/testing.ts';
import { encodeSafetensors, type HostTensor } from '../safetensors.ts';
import type { TorchvisionNetwork } from '../spec/imported.ts';

interface Reference {
  /** Type and shape of every tensor that torch.save writes of the network with 14 outputs, counters included. */
  stateDict: Record<string, ['float32' | 'int64', number[]]>;
  logits: number[];
}

/** Made by torchvision: packages/model/reference/interop.py. */
export const reference = readReference<Record<TorchvisionNetwork, Reference>>('interop.json');

/** Shapes of the weights: the state_dict without its counters. */
export function weightShapes(network: TorchvisionNetwork): [name: string, shape: number[]][] {
  return Object.entries(reference[network].stateDict).flatMap(([name, [type, shape]]) => (type === 'float32' ? [[name, shape]] : []));
}

export function zeros(...shape: number[]): HostTensor {
  return { shape, data: new Float32Array(shape.reduce((product, side) => product * side, 1)) };
}

/** The network's weights without their numbers. */
export function emptyWeights(network: TorchvisionNetwork): Map<string, HostTensor> {
  return new Map(weightShapes(network).map(([name, shape]) => [name, zeros(...shape)]));
}

/** interop.py's `parameter` of every tensor of torchvision's network. */
export function torchvisionWeights(network: TorchvisionNetwork): Map<string, HostTensor> {
  const tensors = weightShapes(network).map(([name, shape]): [string, HostTensor] => {
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
  const channels = reference[network].stateDict[`${head}.weight`]![1][1]!;
  return torchvisionWeights(network).set(`${head}.weight`, zeros(1000, channels)).set(`${head}.bias`, zeros(1000));
}

export function writeWeights(file: string, tensors: ReadonlyMap<string, HostTensor>): string {
  writeFileSync(file, encodeSafetensors(tensors));
  return file;
}

/**
 * What scripts/to-safetensors.py makes of torchvision's state_dict with the weights of `torchvisionWeights`: counters included.
 * @param rename the names in the file
 */
export function stateDictFile(network: TorchvisionNetwork, rename: (name: string) => string): Uint8Array {
  const weights = torchvisionWeights(network);
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = {};
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, [type, shape]] of Object.entries(reference[network].stateDict)) {
    const bytes = type === 'float32' ? new Uint8Array(weights.get(name)!.data.buffer) : Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0);
    header[rename(name)] = { dtype: type === 'float32' ? 'F32' : 'I64', shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
    parts.push(bytes);
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}
