import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { CxrError } from '@cxr-lens/data';
import { brokenLogit, makeCard } from '../card.ts';
import { codeVersion } from '../code-version.ts';
import { describeEngine } from '../engine/tensorflow.ts';
import { buildNetwork } from '../load-run.ts';
import { readBytes, runFiles, sha256, writeAtomic, writeCard, writeRun } from '../run-folder.ts';
import { decodeSafetensors, encodeSafetensors, type HostTensor } from '../safetensors.ts';
import {
  type Card,
  defaultOptions,
  featureShapeOf,
  type Imported,
  type ImportedFile,
  METHODS,
  type MethodName,
  PRESETS,
  type Run,
  type TorchvisionNetwork,
} from '../spec/index.ts';
import { setNetwork } from '../weights.ts';
import { IMAGENET, importTensors } from './import-weights.ts';
import { writeImported } from './imported-folder.ts';

/** The method whose network it is, head and pooling included: as such a run the weights are evaluated where they have its head. */
const METHOD_OF = { densenet121: 'chexnet', resnet50: 'nih-star' } as const satisfies Record<TorchvisionNetwork, MethodName>;

/** How files of torch.save start: a ZIP archive; before PyTorch 1.6 a pickled magic number. */
const TORCH = [Buffer.from([0x50, 0x4b, 0x03, 0x04]), Buffer.from('80028a0a6cfc9c46f9206aa85019', 'hex')];

// Fifty times resnet50's weights; Node reads no file beyond 2 GiB in one piece.
const FILE_LIMIT = 2 ** 31 - 1;

export interface ImportRequest {
  /** A safetensors file of torchvision's network, of the paper's size. */
  file: string;
  network: TorchvisionNetwork;
  /** The folder to write; its name becomes the id. */
  out: string;
  /** What people call the run; default the folder's name. */
  name?: string | undefined;
}

/**
 * Makes a folder that trainings start from: `weights.safetensors` under our names and `imported.json`. Weights with a head of the 14
 * findings are a finished run of CheXNet or NIH* as well, without calibration; else `run` is null.
 * CxrError NOT_FOUND, BAD_INPUT, CORRUPT, UNSUPPORTED for the file and CONFLICT for the folder, before anything is written; UNAVAILABLE.
 */
export function importWeights({ file, network, out, name }: ImportRequest): { imported: ImportedFile; run: Run | null } {
  if (existsSync(out) && (!statSync(out).isDirectory() || readdirSync(out).length > 0)) {
    throw new CxrError('CONFLICT', `${out} is there already and is no empty folder; choose another one.`);
  }
  const source = readSource(file);
  const { tensors, head } = importTensors(network, decodeSafetensors(source, file).tensors);
  const bytes = encodeSafetensors(tensors);
  const id = path.basename(path.resolve(out));
  const papers: Imported = { id, network, head, sourceSha256: sha256(source), weightsSha256: sha256(bytes) };
  const normalisation = { mean: [...IMAGENET.mean], std: [...IMAGENET.std], source: 'ImageNet' } satisfies ImportedFile['normalisation'];
  const now = new Date().toISOString();
  const imported: ImportedFile = { ...papers, format: 1, normalisation, importedAt: now };
  const planned = head === 'none' ? null : runOf(papers, { name: name ?? id, normalisation, now });
  const card = planned && cardOf(planned, tensors, normalisation);
  const broken = card && brokenLogit(card.golden);
  if (broken) throw new CxrError('BAD_INPUT', `${file}: ${broken}; import another checkpoint of it.`);
  const files = runFiles(out);
  writeAtomic(files.weights, bytes);
  writeImported(out, imported);
  const run = planned && card && { ...planned, cardSha256: writeCard(files, card) };
  // last: a folder whose run.json says `finished` is whole
  if (run) writeRun(files, run);
  return { imported, run };
}

function readSource(file: string): Buffer {
  const about = statSync(file, { throwIfNoEntry: false });
  if (!about) throw new CxrError('NOT_FOUND', `${file} does not exist; name a safetensors file.`);
  if (about.isDirectory()) throw new CxrError('BAD_INPUT', `${file} is a folder; name a safetensors file.`);
  if (about.size > FILE_LIMIT) {
    throw new CxrError('BAD_INPUT', `${file} has ${about.size} bytes; the networks that are imported have at most 100 MB.`);
  }
  const bytes = readBytes(file, () => new CxrError('NOT_FOUND', `${file} does not exist; name a safetensors file.`));
  if (TORCH.some((start) => bytes.subarray(0, start.length).equals(start))) {
    const command = `python3 scripts/to-safetensors.py ${file} weights.safetensors`;
    throw new CxrError('BAD_INPUT', `${file} is in PyTorch's own format; make a safetensors file of it first: ${command}`);
  }
  return bytes;
}

function runOf(imported: Imported, { name, normalisation, now }: Pick<Run, 'name' | 'normalisation'> & { now: string }): Run {
  const method = METHOD_OF[imported.network];
  const { network } = METHODS[method];
  const options = defaultOptions(method);
  return {
    format: 1,
    id: imported.id,
    name,
    method,
    preset: 'paper',
    network,
    inputSize: PRESETS.paper.inputSize,
    featureShape: featureShapeOf(network, 'paper'),
    data: null,
    parent: null,
    imported,
    trainedTestImages: [],
    initialisation: 'imported',
    normalisation,
    seed: options.seed,
    options,
    codeVersion: codeVersion(),
    engine: describeEngine(),
    state: 'finished',
    error: null,
    epochs: [],
    bestEpoch: null,
    stepsPerEpoch: 0,
    weightsSha256: imported.weightsSha256,
    cardSha256: null,
    nextCardSha256: null,
    createdAt: now,
    updatedAt: now,
    finishedAt: now,
  };
}

function cardOf(run: Run, tensors: ReadonlyMap<string, HostTensor>, normalisation: Card['normalisation']): Card {
  const network = buildNetwork(run, normalisation, { seed: null });
  try {
    setNetwork(network, tensors, 'the imported weights');
    return makeCard({ run, network, normalisation, validation: null, weightsSha256: run.weightsSha256! });
  } finally {
    network.dispose();
  }
}
