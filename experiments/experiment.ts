import type { MethodName } from '@cxr-lens/model/spec';

/** Where an experiment reads and writes. */
export interface Places {
  /** ChestX-ray14, prepared at 224 x 224. */
  data: string;
  /** The folder of all run folders. */
  runs: string;
  /** The folder of torchvision's ImageNet weights as safetensors. */
  imagenet: string;
}

/** One row or figure of the paper: its command, what it takes, what comes out. */
export interface Experiment {
  /** The file's name, and the name of the run folder where there is one. */
  name: string;
  /** What of the paper it makes. */
  row: string;
  /** Experiments whose runs it needs. */
  after: readonly string[];
  /** Arguments of `cxr-lens`, in order; each can be given again and goes on where it was. */
  commands(places: Places): readonly (readonly string[])[];
  hardware: string;
  /** On that hardware; an estimate, docs/reproduction.md says from what. */
  hours: number;
  /** What the paper or others print for it; a figure of ours only once it was measured on the full data. */
  expected: string;
}

/** Nobody has run them yet: docs/reproduction.md. */
export const ONE_GPU = 'one NVIDIA GPU with 24 GB; not run yet';

/** The command that trains `name`, or goes on with it. */
export function train(
  { data, runs }: Places,
  method: MethodName,
  { name, from, settings = [] }: { name: string; from?: string; settings?: readonly string[] },
): string[] {
  const args = ['train', method, '--data', data, '--out', `${runs}/${name}`];
  if (from !== undefined) args.push('--from', `${runs}/${from}`);
  return [...args, ...settings.flatMap((setting) => ['--set', setting])];
}
