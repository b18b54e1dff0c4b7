import './load.ts';

import * as tf from '@tensorflow/tfjs-node-gpu';
import { installedEngine } from './cache.ts';
import { type CpuFeatures, cpuFeatures } from './cpu.ts';

// The only place that loads TF.js.
export { tf };

/** What this machine computes with. */
export interface EngineInfo extends CpuFeatures {
  /** Version of TensorFlow's library, not of TF.js. */
  tensorflow: string;
  device: 'CPU' | 'GPU';
  /** The folder of library and binding. */
  folder: string;
}

/** TF.js's backend with what its types leave out: any operation of TensorFlow, by name. */
interface NodeBackend {
  binding: { TF_Version: string; TF_ATTR_BOOL: number; TF_ATTR_FLOAT: number; TF_ATTR_STRING: number };
  isUsingGpuDevice: boolean;
  executeMultipleOutputs(name: string, attributes: object[], inputs: readonly tf.Tensor[], outputs: number): tf.Tensor[];
}

const backend = tf.backend() as unknown as NodeBackend;

/**
 * The library, the device and the CPU's bfloat16, for `doctor` and for what a run records.
 * `full` reads the whole library and compares its SHA-256 with the installed one's: CxrError CORRUPT.
 */
export function engineInfo(options: { full: boolean } = { full: false }): EngineInfo {
  return {
    tensorflow: backend.binding.TF_Version,
    device: isGpu() ? 'GPU' : 'CPU',
    ...cpuFeatures(),
    folder: installedEngine(options).folder,
  };
}

export function isGpu(): boolean {
  return backend.isUsingGpuDevice;
}

/** Whether what computes here multiplies bfloat16 itself. */
export function multipliesBfloat16(): boolean {
  return isGpu() || engineInfo().bf16;
}

/** What computes, as runs record it. */
export function describeEngine(): string {
  const { tensorflow, device } = engineInfo();
  return `TensorFlow ${tensorflow}, ${device}`;
}

/**
 * One operation of TensorFlow, without a gradient; it takes the types from the inputs.
 * @param attributes a boolean, a number (float) or a string each
 */
export function rawOp(
  name: string,
  inputs: readonly tf.Tensor[],
  { outputs = 1, attributes = {} }: { outputs?: number; attributes?: Record<string, boolean | number | string> } = {},
): tf.Tensor[] {
  const { TF_ATTR_BOOL, TF_ATTR_FLOAT, TF_ATTR_STRING } = backend.binding;
  const types = { boolean: TF_ATTR_BOOL, number: TF_ATTR_FLOAT, string: TF_ATTR_STRING };
  const given = Object.entries(attributes).map(([key, value]) => ({ name: key, type: types[typeof value as keyof typeof types], value }));
  return backend.executeMultipleOutputs(name, given, inputs, outputs);
}
