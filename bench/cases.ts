/** One thing that several subjects do on the same weights and images. */
export interface Case {
  title: string;
  network: string;
  task: string;
  batch: number;
}

/** One part of docs/performance.md, measured by itself with `--only`. */
export interface Section {
  title: string;
  cases: readonly Case[];
}

const BASELINE = { name: 'Baseline (truncated DenseNet-121)', network: 'truncated-densenet121' } as const;
const OTHERS = [
  { name: 'CheXNet (DenseNet-121)', network: 'densenet121' },
  { name: 'NIH* (ResNet-50)', network: 'resnet50' },
];

function oneImage(task: string, title: string): Case {
  return { title, network: BASELINE.network, task, batch: 1 };
}

export const SECTIONS = {
  train: {
    title: 'Training step of the Baseline',
    cases: [{ title: BASELINE.name, network: BASELINE.network, task: 'train', batch: 32 }],
  },
  'fgsm-train': {
    title: 'Training step of Robust: half of the batch perturbed by FGSM',
    cases: [{ title: BASELINE.name, network: BASELINE.network, task: 'fgsm-train', batch: 32 }],
  },
  'train-others': {
    title: 'Training step of the whole networks',
    cases: OTHERS.map(({ name, network }) => ({ title: name, network, task: 'train', batch: 32 })),
  },
  predict: {
    title: 'Prediction',
    cases: [1, 8, 32].map((batch) => ({ title: BASELINE.name, network: BASELINE.network, task: 'predict', batch })),
  },
  explain: {
    title: 'Explanation of one image, Baseline',
    cases: [oneImage('cams14', 'Logits and 14 CAMs'), oneImage('saliency14', 'Saliency of 14 findings')],
  },
} as const satisfies Record<string, Section>;

/** Measured by scripts of their own beside this file, whose lines become tables as they are. */
export const SCRIPTS = {
  evaluation: { title: 'Evaluation', script: 'evaluation.ts' },
  prepare: { title: 'Preparing a data set', script: 'prepare.ts' },
} as const;

export type PartName = keyof typeof SECTIONS | keyof typeof SCRIPTS;

export const PART_NAMES = [...Object.keys(SECTIONS), ...Object.keys(SCRIPTS)] as PartName[];

/** Who does a task, and how its process is started beside `--folder --network --task --batch --precision --runs`. */
export interface Subject {
  name: string;
  /** Of `peers/<peer>_peer.py`; null: ours. */
  peer: 'torch' | 'openvino' | 'onnxruntime' | null;
  precision: 'float32' | 'bf16';
  flags: readonly string[];
  tasks: readonly string[];
  /** Measured only there. */
  gpuOnly?: true;
  /** Of its process. */
  env?: Record<string, string>;
}

export const TRAINING: readonly string[] = ['train', 'fgsm-train'];
// Saliency is float32 on our side as well: by bfloat16 a sixteenth of its signs would be others.
const TORCH = [...TRAINING, 'predict', 'saliency14'];

/** In the order in which they take turns. The first whose outputs are there is what the others are compared with. */
export const SUBJECTS: readonly Subject[] = [
  {
    name: 'CXR Lens float32',
    peer: null,
    precision: 'float32',
    flags: [],
    tasks: [...TRAINING, 'predict', 'cams14', 'saliency14'],
  },
  { name: 'PyTorch float32', peer: 'torch', precision: 'float32', flags: [], tasks: TORCH },
  { name: 'PyTorch float32, compiled', peer: 'torch', precision: 'float32', flags: ['--compile'], tasks: TORCH },
  ...['latency', 'throughput'].map((hint) => openvino('float32', hint)),
  { name: 'onnxruntime float32', peer: 'onnxruntime', precision: 'float32', flags: [], tasks: ['predict'] },
  { name: 'CXR Lens bf16', peer: null, precision: 'bf16', flags: [], tasks: [...TRAINING, 'predict', 'cams14'] },
  // TensorFlow's compiler: whether it pays shows only where it is meant for.
  {
    name: 'CXR Lens bf16, XLA',
    peer: null,
    precision: 'bf16',
    flags: [],
    tasks: TRAINING,
    gpuOnly: true,
    env: { TF_XLA_FLAGS: '--tf_xla_auto_jit=2' },
  },
  { name: 'PyTorch bf16', peer: 'torch', precision: 'bf16', flags: [], tasks: [...TRAINING, 'predict'] },
  { name: 'PyTorch bf16, compiled', peer: 'torch', precision: 'bf16', flags: ['--compile'], tasks: [...TRAINING, 'predict'] },
  ...['latency', 'throughput'].map((hint) => openvino('bf16', hint)),
];

function openvino(precision: Subject['precision'], hint: string): Subject {
  const flags = hint === 'throughput' ? ['--throughput'] : [];
  return { name: `OpenVINO ${precision}, ${hint}`, peer: 'openvino', precision, flags, tasks: ['predict'] };
}
