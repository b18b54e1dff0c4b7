import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { CxrError, decodeApart, type Processes, type Random, startProcesses } from '@cxr-lens/data';
import { mutateBytes, mutateJson } from './mutate.ts';
import type { ReaderName, ReadTask } from './reader-process.ts';
import { API_TARGETS } from './requests.ts';
import { arrays, card, dicoms, images, prepared, run, type Sample, tables, tensors } from './samples.ts';

export interface Input extends Sample {
  /** The sample that it was made from. */
  valid: Sample;
}

/** `accepted`, `refused` with an error of ours, or what else happened, in a sentence. */
export type Verdict = 'accepted' | 'refused' | { fault: string };

/** What reads inputs that others wrote. */
export interface Target {
  make(random: Random): Input;
  read(input: Input): Promise<Verdict>;
}

/** Opened in a folder of its own; the API at `url` is asked by those that need one. */
export type OpenTarget = (at: { folder: string; url: string }) => Promise<Target>;

const pick = <T>(items: readonly T[], { int }: Random): T => items[int(items.length)]!;

async function judge(work: Promise<unknown>): Promise<Verdict> {
  try {
    await work;
    return 'accepted';
  } catch (error) {
    const { code, message } = error as CxrError;
    // INTERNAL: no error of ours; UNAVAILABLE: the process ended, or was given up after 30 s.
    if (!(error instanceof CxrError) || code === 'INTERNAL' || code === 'UNAVAILABLE') return { fault: `${code ?? 'error'}: ${message}` };
    return 'refused';
  }
}

const decoder =
  (samples: () => Promise<Sample[]> | Sample[]): OpenTarget =>
  async () => {
    const valid = await samples();
    return {
      make: (random) => mutated(pick(valid, random), random),
      read: ({ bytes, as }) => judge(decodeApart({ bytes }, as)),
    };
  };

function mutated(valid: Sample, random: Random, tokens?: readonly string[]): Input {
  return { as: valid.as, valid, bytes: mutateBytes(valid.bytes, random, tokens) };
}

let readers: Processes | null = null;

interface Reader {
  name: ReaderName;
  samples: (folder: string) => Promise<Sample[]> | Sample[];
  make?: (valid: Sample, random: Random) => Buffer;
  tokens?: readonly string[];
}

const reader =
  ({ name, samples, make, tokens }: Reader): OpenTarget =>
  async ({ folder }) => {
    mkdirSync(folder, { recursive: true });
    const valid = await samples(folder);
    readers ??= startProcesses({ script: new URL('./reader-process.ts', import.meta.url) });
    const { run: read } = readers;
    return {
      make(random) {
        const sample = pick(valid, random);
        return make && random.int(3) > 0 ? { as: sample.as, valid: sample, bytes: make(sample, random) } : mutated(sample, random, tokens);
      },
      read: ({ bytes, as, valid: { bytes: whole } }) => {
        const task: ReadTask = { reader: name, bytes, valid: whole, file: path.join(folder, as) };
        return judge(read(task, { where: as }));
      },
    };
  };

const json = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
const asJson = ({ bytes }: Sample, random: Random): Buffer =>
  Buffer.from(JSON.stringify(mutateJson(JSON.parse(bytes.toString()), random)) ?? '');

/** The header of a safetensors file is JSON behind its length. */
function safetensorsHeader({ bytes }: Sample, random: Random): Buffer {
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = Buffer.from(JSON.stringify(mutateJson(JSON.parse(bytes.toString('utf8', 8, end)), random)) ?? '');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, bytes.subarray(end)]);
}

const CELLS = [
  ',',
  ',,,,',
  ';',
  '\t',
  '"',
  '""',
  '\r\n',
  '\n\n',
  '|',
  '\ufeff',
  'Infinity',
  '1e999',
  '-1',
  '99999999999999999999',
  'No Finding',
  'Mass|Mass',
  '\0',
  'é',
  '0x10',
];
const NUMPY = ["'descr'", '(', ')', ',', "'<f8'", "'|O'", '99999999999', '-1', 'True', '{', '}', '\n', '\0'];

export const TARGETS: Record<string, OpenTarget> = {
  images: decoder(images),
  dicom: decoder(dicoms),
  ...API_TARGETS,
  csv: reader({ name: 'csv', samples: tables, tokens: CELLS }),
  npy: reader({ name: 'npy', samples: arrays, tokens: NUMPY }),
  safetensors: reader({ name: 'safetensors', samples: tensors, make: safetensorsHeader }),
  prepared: reader({ name: 'prepared', samples: prepared }),
  runs: reader({ name: 'runs', samples: () => [{ as: 'run.json', bytes: json(run()) }], make: asJson }),
  cards: reader({ name: 'cards', samples: () => [{ as: 'card.json', bytes: json(card()) }], make: asJson }),
};

export async function closeTargets(): Promise<void> {
  await readers?.stop();
  readers = null;
}
