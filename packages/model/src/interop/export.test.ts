import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FINDINGS } from '@cxr-lens/data';
import { afterEach, describe, expect, it } from 'vitest';
import { tf } from '../engine/tensorflow.ts';
import { densenet } from '../networks/densenet.ts';
import type { Network } from '../networks/network.ts';
import { error, image, PIXELS } from '../networks/testing.ts';
import { decodeSafetensors } from '../safetensors.ts';
import { NETWORKS } from '../spec/networks.ts';
import { temporaryFolder } from '../tests/tiny-data.ts';
import { readNetwork } from '../weights.ts';
import { exportOnnx, exportSafetensors, exportSavedModel } from './export.ts';
import { filledNetwork, NETWORK_KINDS, ORIGIN } from './testing.ts';

let open: Network | null = null;
afterEach(() => {
  open?.dispose();
  open = null;
});

const ABOUT = {
  run: 'run-1',
  weights_sha256: ORIGIN.weightsSha256,
  preset: 'small',
  input_size: '96',
  pixel_range: '[0, 1]',
  findings: JSON.stringify(FINDINGS),
  normalisation: '{"mean":0.5,"std":0.25}',
  pooling: 'average',
  use: 'Research use only: not for diagnosis.',
};

describe.each(NETWORK_KINDS)('%s', (kind) => {
  it('as a SavedModel loaded back gives the same logits and evidence, of any number of images', async () => {
    open = filledNetwork(kind, 'small');
    const folder = path.join(await temporaryFolder(), 'model');
    const before = tf.memory().numTensors;
    exportSavedModel(open, folder, ORIGIN);
    expect(tf.memory().numTensors).toBe(before);
    const model = await tf.node.loadSavedModel(folder);
    const x = image(5, open.inputSize);
    const expected = open.forward(x, 'inference');
    const { logits, ...evidence } = model.predict({ image: x }) as Record<string, tf.Tensor>;
    expect(error(logits!.dataSync(), [...expected.logits.dataSync()])).toBeLessThan(1e-5);
    const [[name, where]] = Object.entries(evidence) as [[keyof typeof expected, tf.Tensor]];
    const shown = expected[name] as tf.Tensor;
    expect(where.shape).toEqual(shown.shape);
    expect(error(where.dataSync(), [...shown.dataSync()])).toBeLessThan(1e-5);
    model.dispose();
  });

  it('as ONNX has every operation, its papers and weights', async () => {
    open = filledNetwork(kind, 'small');
    const file = path.join(await temporaryFolder(), 'network.onnx');
    const before = tf.memory().numTensors;
    exportOnnx(open, file, ORIGIN);
    expect(tf.memory().numTensors).toBe(before);
    const bytes = readFileSync(file);
    for (const word of [ABOUT.use, ABOUT.weights_sha256, ABOUT.findings]) expect(bytes.includes(word)).toBe(true);
    const head = open.parameters.get('network.head.bias')!.dataSync<'float32'>();
    expect(bytes.includes(Buffer.from(head.buffer, head.byteOffset, head.byteLength))).toBe(true);
  });
});

describe('a SavedModel', () => {
  it('says what it is, and takes no folder that holds something', async () => {
    open = filledNetwork('vae', 'small');
    const parent = await temporaryFolder();
    const folder = path.join(parent, 'model');
    exportSavedModel(open, folder, ORIGIN);
    const about = JSON.parse(readFileSync(path.join(folder, 'assets.extra/cxr-lens.json'), 'utf8'));
    expect(about).toEqual({ ...ABOUT, network: 'vae', input: '[N, 96, 96, 1], grey' });
    expect(readdirSync(parent)).toEqual(['model']);
    const again = () => exportSavedModel(open!, folder, ORIGIN);
    expect(again).toThrow(expect.objectContaining({ code: 'CONFLICT', message: expect.stringContaining('is not empty') }));
  });

  it('leaves nothing behind where it cannot be written', async () => {
    open = filledNetwork('vae', 'small');
    const parent = await temporaryFolder();
    writeFileSync(path.join(parent, 'file'), '');
    const exporting = () => exportSavedModel(open!, path.join(parent, 'file/model'), ORIGIN);
    expect(exporting).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    expect(readdirSync(parent)).toEqual(['file']);
  });
});

describe('safetensors', () => {
  it("of a network that torchvision has not are our own names, with the run's papers", async () => {
    open = filledNetwork('truncated-densenet121', 'small');
    const file = path.join(await temporaryFolder(), 'weights.safetensors');
    exportSafetensors(open, file, ORIGIN);
    const { tensors, metadata } = decodeSafetensors(readFileSync(file), file);
    expect(Object.fromEntries(tensors)).toEqual(Object.fromEntries(readNetwork(open)));
    expect(metadata).toMatchObject(ABOUT);
  });

  it('of another preset than the network are refused', () => {
    const larger = densenet({ ...NETWORKS.densenet121.small, blocks: [5, 8, 8, 6], name: 'densenet121', inputSize: 96 }, PIXELS);
    expect(() => exportSafetensors(larger, 'none.safetensors', ORIGIN)).toThrow('network.block1.layer5.norm1.scale is no parameter');
    larger.dispose();
  });

  it("of a small densenet121 bear the names of torchvision's class", async () => {
    open = filledNetwork('densenet121', 'small');
    const file = path.join(await temporaryFolder(), 'weights.safetensors');
    exportSafetensors(open, file, ORIGIN);
    const { tensors } = decodeSafetensors(readFileSync(file), file);
    const kernel = open.parameters.get('network.block4.layer6.convolution2.kernel')!;
    const theirs = tensors.get('features.denseblock4.denselayer6.conv2.weight')!;
    expect(theirs.shape).toEqual([12, 48, 3, 3]);
    // Output 1, input 2, row 1, column 0.
    expect(theirs.data[((1 * 48 + 2) * 3 + 1) * 3]).toBe(tf.tidy(() => kernel.arraySync() as number[][][][])[1]![0]![2]![1]);
  });
});
