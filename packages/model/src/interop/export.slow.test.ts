import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readOut } from '../engine/read-out.ts';
import { tf } from '../engine/tensorflow.ts';
import type { Network } from '../networks/network.ts';
import { image } from '../networks/testing.ts';
import { temporaryFolder } from '../tests/tiny-data.ts';
import { exportOnnx, exportSavedModel } from './export.ts';
import { pythonOrSkip } from './python-testing.ts';
import { filledNetwork, NETWORK_KINDS, ORIGIN } from './testing.ts';

// float32 sums in another order; as a share of the greatest value.
const TOLERANCE = 1e-4;

/** Supervised where no patch has a finding: logits near -14, from products of 400 factors that differ from 1 by 1e-8. */
function withoutFindings(): Network {
  const network = filledNetwork('preact-resnet50-patches, enlarged', 'small');
  const [kernel, bias] = ['kernel', 'bias'].map((name) => network.parameters.get(`network.head.${name}`)!);
  tf.tidy(() => {
    kernel!.assign(tf.mul(kernel!, 0.02));
    bias!.assign(tf.sub(bias!, 16));
  });
  return network;
}

const NETWORKS: Record<string, () => Network> = {
  ...Object.fromEntries(NETWORK_KINDS.map((kind) => [kind.replaceAll(/\W+/g, '-'), () => filledNetwork(kind, 'small')])),
  'patches-without-findings': withoutFindings,
  'densenet121-paper': () => filledNetwork('densenet121', 'paper'),
};

/** Writes the network in both formats, three images, and what it makes of them. */
function writeNetwork(network: Network, { name, folder }: { name: string; folder: string }): void {
  exportOnnx(network, path.join(folder, `${name}.onnx`), ORIGIN);
  exportSavedModel(network, path.join(folder, name), ORIGIN);
  const numbers = readOut(() => {
    const x = image(3, network.inputSize);
    const { logits, features, patches, decoded } = network.forward(x, 'inference');
    const outputs = Object.entries({ image: x, logits, features, patches, decoded });
    return outputs.flatMap(([output, tensor]) => (tensor ? [[output, tensor.dataSync<'float32'>()] as const] : []));
  });
  for (const [output, values] of numbers) writeFileSync(path.join(folder, `${name}.${output}`), new Uint8Array(values.buffer));
}

it('every network gives the same in onnxruntime and in Python, of any number of images', async (ctx) => {
  const run = await pythonOrSkip(ctx, 'elsewhere-requirements.txt');
  const folder = await temporaryFolder();
  for (const [name, make] of Object.entries(NETWORKS)) {
    const network = make();
    writeNetwork(network, { name, folder });
    network.dispose();
  }
  const printed = await run('elsewhere.py', [folder]);
  const errors = JSON.parse(printed.trim().split('\n').at(-1)!) as Record<string, Record<string, Record<string, number>>>;
  expect(Object.keys(errors).sort()).toEqual(Object.keys(NETWORKS).sort());
  for (const [name, engines] of Object.entries(errors)) {
    process.stderr.write(`${name}: ${JSON.stringify(engines)}\n`);
    expect(Object.keys(engines)).toEqual(['onnxruntime', 'tensorflow']);
    for (const outputs of Object.values(engines)) {
      expect(Object.keys(outputs)).toContain('logits');
      expect(Object.keys(outputs).length).toBe(2);
      for (const [output, error] of Object.entries(outputs)) expect(error, `${name}, ${output}`).toBeLessThan(TOLERANCE);
    }
  }
});
