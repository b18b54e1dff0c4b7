import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CxrError, FINDINGS } from '@cxr-lens/data';
import type { Graph } from '../graph/graph.ts';
import { encodeSavedModel, NodeWriter } from '../graph/saved-model.ts';
import type { Network } from '../networks/network.ts';
import { writeAtomic } from '../run-folder.ts';
import { encodeSafetensors, type HostTensor } from '../safetensors.ts';
import { TORCHVISION_NETWORKS } from '../spec/imported.ts';
import type { PresetName } from '../spec/presets.ts';
import { readNetwork } from '../weights.ts';
import { toChannelsFirst } from './layout.ts';
import { encodeOnnx } from './onnx.ts';
import { sharedTensors } from './torchvision.ts';
import { trace } from './trace.ts';

/** Where an exported network comes from. */
export interface Origin {
  /** The run's id. */
  run: string;
  weightsSha256: string;
  preset: PresetName;
  /** Of the pixels in [0, 1]; of each of the three channels where they differ. */
  normalisation: { mean: number | readonly number[]; std: number | readonly number[] };
  /** How the network's maps become one number a channel, as its card says: torchvision's take the average. */
  pooling: string;
}

/** What a file says of itself, where its format has a place for it. */
function metadata({ name, inputSize }: Network, { run, weightsSha256, preset, normalisation, pooling }: Origin): Record<string, string> {
  return {
    run,
    weights_sha256: weightsSha256,
    network: name,
    preset,
    input: `[N, ${inputSize}, ${inputSize}, 1], grey`,
    input_size: `${inputSize}`,
    pixel_range: '[0, 1]',
    normalisation: JSON.stringify(normalisation),
    pooling,
    findings: JSON.stringify(FINDINGS),
    use: 'Research use only: not for diagnosis.',
  };
}

/**
 * Weights as safetensors: under torchvision's names and in its layout where torchvision has the network, else under our own. Who computes
 * with them normalises the pixels as the metadata says and repeats the grey three times; in the other two formats the network does.
 */
export function exportSafetensors(network: Network, file: string, origin: Origin): void {
  const shared = TORCHVISION_NETWORKS.find((name) => name === network.name);
  const names = new Map(shared ? sharedTensors(shared, origin.preset).map(({ ours, theirs }) => [ours, theirs]) : []);
  const named = [...readNetwork(network)].map(([ours, tensor]): [string, HostTensor] => {
    if (!shared) return [ours, tensor];
    const theirs = names.get(ours);
    if (theirs !== undefined) return [theirs, toChannelsFirst(tensor)];
    throw new CxrError('INTERNAL', `${ours} is no parameter of a ${shared} of the preset ${origin.preset}.`);
  });
  writeAtomic(file, encodeSafetensors(new Map(named), metadata(network, origin)));
}

/**
 * The network as an ONNX file: input `image` [N, S, S, 1], grey in [0, 1]; outputs `logits` [N, 14] and, for what shows where,
 * `features` [N, h, w, C], `patches` [N, P, P, 14] or `decoded` [N, S, S, 1]. CxrError UNSUPPORTED names an operation that has no translation.
 */
export function exportOnnx(network: Network, file: string, origin: Origin): void {
  writeAtomic(file, encodeOnnx(trace(network), metadata(network, origin)));
}

/**
 * The network as a TensorFlow SavedModel: signature `serving_default`, inputs and outputs as `exportOnnx`; what it says of itself is in
 * `assets.extra/cxr-lens.json`. The folder appears whole or not at all. CxrError CONFLICT where there is something already.
 */
export function exportSavedModel(network: Network, folder: string, origin: Origin): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new CxrError('CONFLICT', `${folder} is not empty; choose another folder for the SavedModel, or remove this one.`);
  }
  const temporary = `${path.resolve(folder)}.${process.pid}.tmp`;
  try {
    writeAtomic(path.join(temporary, 'saved_model.pb'), servingModel(trace(network)));
    writeAtomic(path.join(temporary, 'assets.extra', 'cxr-lens.json'), `${JSON.stringify(metadata(network, origin), null, 2)}\n`);
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Weights as constants, signature `serving_default`. */
function servingModel({ inputs, operations, outputs }: Graph): Uint8Array {
  const writer = new NodeWriter();
  for (const [name, value] of Object.entries(inputs)) writer.name(value, writer.placeholder(name, value));
  for (const [index, operation] of operations.entries()) writer.operation(operation, index);
  for (const [name, value] of Object.entries(outputs)) writer.output(name, value);
  return encodeSavedModel(writer.nodes, { serving_default: { inputs: { ...inputs }, outputs: { ...outputs } } });
}
