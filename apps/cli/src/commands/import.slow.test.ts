import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FINDINGS, writePhantom } from '@cxr-lens/data';
import { type RunScript, torchOrSkip } from '@cxr-lens/model/python-testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../testing.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const SCRIPT = path.join(ROOT, 'scripts/to-safetensors.py');
const NETWORKS = ['densenet121', 'resnet50'];
const FORMS = ['plain', 'parallel', 'compiled', 'old', 'lightning', 'bfloat16', 'wrapped'];

// float32 sums in another order; as a share of the greatest logit.
const TOLERANCE = 1e-5;

let home: string;
beforeAll(async () => {
  process.setMaxListeners(100);
  home = await mkdtemp(path.join(tmpdir(), 'cxr-lens-torch-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const inside = (...names: string[]): string => path.join(home, ...names);

/** The lines of the first block of commands in docs/import.md, with other files and another network in place of the page's. */
function pageCommands(replaced: Record<string, string>): string[][] {
  const [, block] = /```sh\n([\s\S]*?)```/.exec(readFileSync(path.join(ROOT, 'docs/import.md'), 'utf8'))!;
  return block!
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map((word) => replaced[word] ?? word));
}

/** Runs the page's lines on one checkpoint and film; the logits that `explain` gives, in the order of FINDINGS. */
async function followPage(run: RunScript, { form, network, film }: { form: string; network: string; film: string }): Promise<number[]> {
  const [convert, load, explain, ...more] = pageCommands({
    'm.pth': inside(`${form}.pth`),
    'm.safetensors': inside(`${form}.safetensors`),
    densenet121: network,
    'runs/mine': inside('runs', form),
    'chest.png': film,
    explained: inside('explained', form),
  });
  expect(more).toEqual([]);
  const [python, script, ...args] = convert!;
  expect([python, script]).toEqual(['python3', 'scripts/to-safetensors.py']);
  expect(await run(SCRIPT, args)).toMatch(new RegExp(`^${inside(`${form}.safetensors`)}: \\d+ tensors of [\\d,]+ values \\(`));
  let printed = '';
  for (const line of [load!, [...explain!, '--json']]) {
    expect(line.slice(0, 3)).toEqual(['npx', '--no', 'cxr-lens']);
    const { code, stdout, stderr } = await runCli(...line.slice(3));
    expect(code, stderr).toBe(0);
    printed = stdout;
  }
  const { findings } = JSON.parse(printed).images[0];
  return FINDINGS.map((finding) => findings[finding].logit);
}

it("torchvision's networks, saved by PyTorch, answer here as there by the commands of docs/import.md", async (ctx) => {
  const run = await torchOrSkip(ctx);
  await writePhantom({ folder: inside('phantom'), images: 20, seed: 3, size: 224 });
  const films = readdirSync(inside('phantom', 'images')).sort().slice(0, 2);
  for (const film of films) renameSync(inside('phantom', 'images', film), inside(film));
  const printed = await run('checkpoints.py', [home]);
  const { logits, odd } = JSON.parse(printed.trim().split('\n').at(-1)!) as {
    logits: Record<string, number[][]>;
    odd: Record<string, [number[], number[]]>;
  };
  expect(Object.keys(logits)).toEqual(NETWORKS.flatMap((network) => FORMS.map((form) => `${network}-${form}`)));

  for (const [form, answers] of Object.entries(logits)) {
    const index = Object.keys(logits).indexOf(form) % films.length;
    const found = await followPage(run, { form, network: form.split('-')[0]!, film: inside(films[index]!) });
    const greatest = Math.max(...answers[index]!.map(Math.abs));
    const error = Math.max(...found.map((logit, finding) => Math.abs(logit - answers[index]![finding]!)));
    process.stderr.write(`${form}: logits to ${greatest.toFixed(3)}, off by ${error.toExponential(1)}\n`);
    expect(error / greatest, form).toBeLessThan(TOLERANCE);
  }

  await run(SCRIPT, [inside('odd.pth'), inside('odd.safetensors')]);
  expect(readTensors(inside('odd.safetensors'))).toEqual(odd);

  const refused = (file: string) => run(SCRIPT, [inside(file), inside('refused')]);
  const save = 'torch.save(m.state_dict(), ';
  await expect(refused('module.pth')).rejects.toThrow(save);
  await expect(refused('module.pth')).rejects.toThrow('exit code 2');
  await expect(refused('other.pth')).rejects.toThrow(
    `${inside('other.pth')} also holds __main__.Others: objects of other programs are not opened, because that could run code.`,
  );
  await expect(refused('odd.safetensors')).rejects.toThrow('is a safetensors file already');
  await expect(refused(films[0]!)).rejects.toThrow('is no checkpoint of torch.save (it starts with 89 50 4e 47 0d 0a 1a 0a)');
  await expect(refused('none')).rejects.toThrow('does not exist');
  expect(readdirSync(home).filter((name) => name.startsWith('refused'))).toEqual([]);
});

/** Shape and values of each tensor of a small file, of float32 and int64. */
function readTensors(file: string): Record<string, [number[], number[]]> {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__, ...header } = JSON.parse(bytes.toString('utf8', 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return Object.fromEntries(
    Object.entries(header).map(([name, { dtype, shape, data_offsets }]) => {
      const [begin, end] = data_offsets.map((offset) => start + offset) as [number, number];
      const data = Uint8Array.from(bytes.subarray(begin, end)).buffer;
      const values = dtype === 'I64' ? Array.from(new BigInt64Array(data), Number) : Array.from(new Float32Array(data));
      return [name, [shape, values]];
    }),
  );
}
