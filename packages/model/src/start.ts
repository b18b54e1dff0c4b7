import { existsSync } from 'node:fs';
import { CxrError, type PreparedData } from '@cxr-lens/data';
import { isImported, readImported, readImportedWeights } from './interop/imported-folder.ts';
import { readWeights } from './load-run.ts';
import type { Network } from './networks/network.ts';
import { readCard, readRun, runFiles } from './run-folder.ts';
import type { HostTensor } from './safetensors.ts';
import {
  METHODS,
  type MethodName,
  methodsOnImported,
  type Normalisation,
  networkOnImported,
  type PresetName,
  parentMethod,
  type Run,
  type TrainOptions,
} from './spec/index.ts';
import { readNetwork, setNetwork } from './weights.ts';

/** Where a training starts, as its run records it. */
type Start = Pick<Run, 'network' | 'parent' | 'imported' | 'initialisation' | 'normalisation'>;

interface Asked {
  method: MethodName;
  preset: PresetName;
  /** A run folder, or one that `importWeights` made. */
  from?: string | undefined;
}

/** Fresh weights, those of another program, or a converged run's, checked. CxrError BAD_INPUT and those of reading the folder. */
export function planStart(asked: Asked, options: TrainOptions, data: PreparedData): Start {
  const { method, from } = asked;
  const fresh: Start = {
    network: METHODS[method].network,
    parent: null,
    imported: null,
    initialisation: 'he-normal',
    normalisation: ofTrainingImages(data),
  };
  const startsFrom = parentMethod(method, options);
  if (startsFrom !== null) return { ...fresh, ...parentStart(asked, startsFrom, data) };
  return from === undefined ? fresh : { ...fresh, ...importedStart({ ...asked, from }) };
}

/** The network's first step in the run. */
export function normalisationOf({ normalisation }: Run, data: PreparedData): Normalisation {
  return normalisation ?? ofTrainingImages(data);
}

/** Sets the network to what its training starts from. CxrError CONFLICT where that has changed since the run was planned. */
export function startNetwork(network: Network, { parent, imported }: Run, from: string | undefined): void {
  const start = parent ?? imported;
  if (!start) return;
  if (from === undefined) throw new CxrError('BAD_INPUT', `The run starts from ${start.id}: name its folder with --from.`);
  const { weightsSha256, tensors } = parent ? convergedWeights(from) : importedWeights(network, from);
  if (weightsSha256 !== start.weightsSha256) {
    throw new CxrError('CONFLICT', `${from} has changed since this run was planned; train into a new folder.`);
  }
  setNetwork(network, tensors, runFiles(from).weights);
}

function ofTrainingImages({ statistics: { mean, std } }: PreparedData): Normalisation {
  return { mean, std, source: 'training images' };
}

function importedStart({ method, preset, from }: Asked & { from: string }): Partial<Start> {
  if (!isImported(from)) {
    if (existsSync(runFiles(from).run)) {
      throw new CxrError(
        'BAD_INPUT',
        `${method} starts from fresh weights or imported ones (cxr-lens import), and ${from} is a trained run; leave out --from.`,
      );
    }
    throw new CxrError('NOT_FOUND', `${from} holds no imported weights: it has no imported.json; make it with cxr-lens import.`);
  }
  const { id, network: theirs, sourceSha256, weightsSha256, head, normalisation } = readImported(from);
  const network = networkOnImported(method, theirs);
  if (network === null) {
    throw new CxrError(
      'BAD_INPUT',
      `${from} holds the weights of ${theirs}, on which ${methodsOnImported(theirs).join(', ')} can start; ${method} cannot.`,
    );
  }
  if (preset !== 'paper') {
    throw new CxrError(
      'BAD_INPUT',
      `${from} holds weights of the paper's size; the preset ${preset} has other layers: train with --preset paper.`,
    );
  }
  const imported = { id, network: theirs, sourceSha256, weightsSha256, head: network === theirs ? head : ('none' as const) };
  return { network, imported, initialisation: 'imported', normalisation };
}

/** The run to start from: the right method, converged, the same network and the same images; its normalisation goes with its weights. */
function parentStart({ method, preset, from }: Asked, startsFrom: MethodName, data: PreparedData): Partial<Start> {
  if (from === undefined)
    throw new CxrError('BAD_INPUT', `${method} starts from a converged ${startsFrom} run: name its folder with --from.`);
  if (isImported(from) && !existsSync(runFiles(from).run)) {
    throw new CxrError(
      'BAD_INPUT',
      `${from} holds imported weights without a head of the findings; ${method} starts from a converged ${startsFrom} run: train that first.`,
    );
  }
  const parent = readRun(from);
  if (parent.method !== startsFrom) {
    throw new CxrError('BAD_INPUT', `${from} is a ${parent.method} run; ${method} starts from a ${startsFrom} run.`);
  }
  if (parent.state !== 'finished' || parent.weightsSha256 === null) {
    throw new CxrError('BAD_INPUT', `${from} has not converged (it is ${parent.state}); finish its training first.`);
  }
  if (parent.preset !== preset) {
    throw new CxrError('BAD_INPUT', `${from} has preset ${parent.preset}, asked is ${preset}: its weights do not fit.`);
  }
  if (parent.data && parent.data.datasetHash !== data.datasetHash) {
    throw new CxrError(
      'BAD_INPUT',
      `${from} was trained on other data than ${data.path}: validation images could be training images there.`,
    );
  }
  const { id, network, weightsSha256 } = parent;
  const { normalisation } = readCard(from);
  const { imported } = parent;
  return { network, parent: { id, method: parent.method, weightsSha256 }, imported, initialisation: 'run', normalisation };
}

interface Weights {
  weightsSha256: string | null;
  tensors: ReadonlyMap<string, HostTensor>;
}

function convergedWeights(from: string): Weights {
  const { run, tensors } = readWeights(from);
  return { weightsSha256: run.weightsSha256, tensors };
}

/** The imported layers that the network shares; those it has of its own stay as they are. */
function importedWeights(network: Network, from: string): Weights {
  const { file, tensors } = readImportedWeights(from);
  const shared = [...tensors].filter(([name]) => network.name === file.network || !isLast(name));
  return { weightsSha256: file.weightsSha256, tensors: new Map([...readNetwork(network), ...shared]) };
}

/** Of the last feature map's norm and the head: another network's are of other channels. */
function isLast(name: string): boolean {
  return /^network\.(norm|head)\./.test(name);
}
