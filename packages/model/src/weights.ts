import { CxrError } from '@cxr-lens/data';
import { tf } from './engine/tensorflow.ts';
import type { Network } from './networks/network.ts';
import type { HostTensor } from './safetensors.ts';

/** Copies of variables, under their names. */
export function readVariables(variables: ReadonlyMap<string, tf.Variable>): Map<string, HostTensor> {
  const copies = new Map<string, HostTensor>();
  for (const [name, variable] of variables) {
    copies.set(name, { shape: [...variable.shape], data: Float32Array.from(variable.dataSync<'float32'>()) });
  }
  return copies;
}

/** Parameters and moving averages of a network: what `weights.safetensors` holds. */
export function readNetwork(network: Network): Map<string, HostTensor> {
  return new Map([...readVariables(network.parameters), ...readVariables(network.statistics)]);
}

/** Sets a network's parameters and moving averages. CxrError CORRUPT names the first tensor that is missing or has another shape. */
export function setNetwork(network: Network, tensors: ReadonlyMap<string, HostTensor>, where: string): void {
  setVariables(network.parameters, tensors, where);
  setVariables(network.statistics, tensors, where);
}

/** Sets variables from the tensors of their names; CxrError CORRUPT as `setNetwork`. */
export function setVariables(variables: ReadonlyMap<string, tf.Variable>, tensors: ReadonlyMap<string, HostTensor>, where: string): void {
  for (const [name, variable] of variables) {
    const tensor = tensors.get(name);
    const expected = variable.shape.join(' x ');
    if (!tensor) throw new CxrError('CORRUPT', `${where} has no tensor ${name} (${expected}): it belongs to another network.`);
    if (tensor.shape.join(' x ') !== expected) {
      throw new CxrError('CORRUPT', `${where}: tensor ${name} is ${tensor.shape.join(' x ')}, expected ${expected}.`);
    }
    tf.tidy(() => variable.assign(tf.tensor(tensor.data, tensor.shape, 'float32')));
  }
}
