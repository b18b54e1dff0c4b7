import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FINDINGS, prepare, writePhantom } from '@cxr-lens/data';
import { readCard, readRun } from '@cxr-lens/model/run-folder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing.ts';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], source: 'ImageNet' };

let home: string;
let data: string;
let source: string;

const inside = (...names: string[]): string => path.join(home, ...names);

/** A state_dict as safetensors writes it, batch norm's counters in it, of made-up numbers. */
function stateDict(tensors: Record<string, [type: string, shape: number[]]>): Buffer {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let end = 0;
  const add = (name: string, dtype: string, shape: number[], bytes: Buffer): void => {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
    parts.push(bytes);
  };
  for (const [name, [type, shape]] of Object.entries(tensors)) {
    if (type === 'int64') {
      add(name, 'I64', shape, Buffer.alloc(8, 1));
      continue;
    }
    const size = shape.reduce((product, side) => product * side, 1);
    const fanIn = shape.slice(1).reduce((product, side) => product * side, 1);
    const scale = shape.length > 1 ? Math.sqrt(6 / fanIn) : 0.1;
    const shift = shape.length === 1 && /\.(running_var|weight)$/.test(name) ? 1 : 0;
    const values = Float32Array.from({ length: size }, (_, index) => shift + scale * Math.sin(index * index + name.length));
    add(name, 'F32', shape, Buffer.from(values.buffer));
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

beforeAll(async () => {
  process.setMaxListeners(100);
  home = await mkdtemp(path.join(tmpdir(), 'cxr-lens-import-'));
  await writePhantom({ folder: inside('phantom'), images: 20, seed: 3, size: 96 });
  data = inside('tiny.cxr');
  await prepare({ folder: inside('phantom'), out: data, size: 224 });
  const reference = path.resolve(import.meta.dirname, '../../../../packages/model/reference/interop.json');
  source = inside('densenet121.safetensors');
  writeFileSync(source, stateDict(JSON.parse(readFileSync(reference, 'utf8')).densenet121.stateDict));
});

afterAll(() => rm(home, { recursive: true, force: true }));

describe('cxr-lens import', () => {
  it('makes a run of a chest X-ray network, which is evaluated and explained', async () => {
    const imported = await runCli('import', source, '--network', 'densenet121', '--out', inside('runs', 'i'), '--name', 'From elsewhere');
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    expect(imported.stdout.split('\n')).toEqual([
      `densenet121 with a head of the 14 findings: ${inside('runs', 'i')} is a run of CheXNet, to be evaluated and explained.`,
      expect.stringMatching(/^Trainings of baseline, chexnet can start from it: --from .*i \(weights [0-9a-f]{12}\)\.$/),
      '',
    ]);
    expect((await runCli('runs', inside('runs'))).stdout).toMatch(/^i +CheXNet +paper +finished +0 +- +- +- +imported$/m);

    const evaluated = await runCli('evaluate', inside('runs', 'i'), '--data', data, '--resamples', '5', '--json');
    expect(JSON.parse(evaluated.stdout).evaluations[0]).toMatchObject({
      auc: { runId: 'i' },
      localization: { protocol: { name: 'paper' } },
    });
    const [folder] = readdirSync(inside('runs', 'i', 'evaluation'));
    const report = readFileSync(inside('runs', 'i', 'evaluation', folder!, 'report.md'), 'utf8');
    expect(report).toContain('CheXNet, imported');
    expect(report).toContain('cxr-lens import FILE --network densenet121 --out i');

    const image = inside('phantom', 'images', readdirSync(inside('phantom', 'images'))[0]!);
    const explained = await runCli('explain', inside('runs', 'i'), image, '--out', inside('explained'), '--finding', 'Mass', '--json');
    const { Mass } = JSON.parse(explained.stdout).images[0].findings;
    expect(Mass).toMatchObject({ logit: expect.any(Number), probability: null, operatingPoint: null, decision: null });
    expect(Mass.probabilityReason).toBe('imported: no validation images were seen');
    expect(existsSync(Mass.cam)).toBe(true);
  });

  it('gives trainings their start', async () => {
    const still = ['batchSize=2', 'maxEpochs=1', 'learningRate=1e-30'].flatMap((setting) => ['--set', setting]);
    const out = ['--out', inside('runs', 'b'), '--from', inside('runs', 'i')];
    const trained = await runCli('train', 'baseline', '--data', data, ...out, ...still, '--json');
    expect([trained.code, JSON.parse(trained.stdout)]).toMatchObject([
      0,
      { initialisation: 'imported', imported: { id: 'i', head: 'none' } },
    ]);
    expect(readRun(inside('runs', 'b')).imported).toMatchObject({
      network: 'densenet121',
      sourceSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(readCard(inside('runs', 'b'))).toMatchObject({ normalisation: IMAGENET, imported: { id: 'i' }, findings: [...FINDINGS] });
  });
});

describe('wrong input is answered in one sentence, with exit code 2', () => {
  it.each<[string, () => string[], string]>([
    ['no network', () => ['x', '--out', 'y'], "error: required option '--network <name>' not specified"],
    [
      'another network',
      () => ['x', '--network', 'vgg16', '--out', 'y'],
      'BAD_INPUT: "vgg16" cannot be imported; the networks are densenet121, resnet50.',
    ],
    [
      'a file that is not there',
      () => [inside('none'), '--network', 'resnet50', '--out', inside('y')],
      'NOT_FOUND: HOME/none does not exist; name a safetensors file.',
    ],
    [
      "another network's file",
      () => [source, '--network', 'resnet50', '--out', inside('y')],
      "BAD_INPUT: The weights have no tensor conv1.weight (expected 64 x 3 x 7 x 7), nor 264 others. Found: features.conv0.weight, features.norm0.weight, features.norm0.bias. Wanted: conv1.weight, bn1.weight, bn1.bias. These are densenet121's layers: --network densenet121.",
    ],
    [
      'a folder that is a run',
      () => [source, '--network', 'densenet121', '--out', inside('runs', 'i')],
      'CONFLICT: HOME/runs/i is there already and is no empty folder; choose another one.',
    ],
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await runCli('import', ...args());
    expect([code, stdout, stderr.replaceAll(home, 'HOME')]).toEqual([2, '', `${message}\n`]);
    expect(existsSync(inside('y'))).toBe(false);
  });
});
