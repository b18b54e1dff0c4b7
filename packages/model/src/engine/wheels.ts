import { existsSync } from 'node:fs';
import { CxrError } from '@cxr-lens/data';

/** The version of the TensorFlow library under TF.js. */
export const TENSORFLOW_VERSION = '2.21.0';

/** What is unpacked beside the library: `cpu`, or `cuda` with NVIDIA's own libraries. */
export type Flavour = 'cpu' | 'cuda';

/** A wheel of the Python package index, pinned by its SHA-256, and the folders or files of it that are needed. */
export interface Wheel {
  name: string;
  version: string;
  sha256: string;
  members: readonly string[];
}

// The headers that tfjs-node's binding includes, directly or not.
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/', 'xla/tsl/c/'].map((folder) => `tensorflow/include/${folder}`);
const TENSORFLOW = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2', ...HEADERS];

/**
 * The wheels of a flavour. The versions of NVIDIA's are those that pip resolves for `tensorflow[and-cuda]==2.21.0`, the hashes
 * those that it reports, without downloading anything:
 * `pip install --dry-run --ignore-installed --report - --only-binary=:all: --python-version 3.13 --platform manylinux_2_27_x86_64
 *  --platform manylinux2014_x86_64 --platform manylinux2010_x86_64 --target /tmp/none 'tensorflow[and-cuda]==2.21.0'`
 */
export const WHEELS: Record<Flavour, readonly Wheel[]> = {
  cpu: [wheel('tensorflow-cpu', TENSORFLOW_VERSION, '05af7c26d35f4de910b5598c7b507e3981831a7b0f47fed9a405d995d51d7793', TENSORFLOW)],
  cuda: [
    wheel('tensorflow', TENSORFLOW_VERSION, 'e9d8da8dcab9650efb45f032ba70af2f016f907e6e0c6bda29dd101bba945406', TENSORFLOW),
    wheel('nvidia-cublas-cu12', '12.9.3.13', 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72'),
    wheel('nvidia-cuda-cupti-cu12', '12.8.90', 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182'),
    wheel('nvidia-cuda-nvcc-cu12', '12.9.86', '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0'),
    wheel('nvidia-cuda-nvrtc-cu12', '12.9.86', '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4'),
    wheel('nvidia-cuda-runtime-cu12', '12.9.79', '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3'),
    wheel('nvidia-cudnn-cu12', '9.28.0.42', '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375'),
    wheel('nvidia-cufft-cu12', '11.4.1.4', 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28'),
    wheel('nvidia-curand-cu12', '10.3.10.19', '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e'),
    wheel('nvidia-cusolver-cu12', '11.7.5.82', '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88'),
    wheel('nvidia-cusparse-cu12', '12.5.10.65', '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78'),
    wheel('nvidia-nccl-cu12', '2.32.3', 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c'),
    wheel('nvidia-nvjitlink-cu12', '12.9.86', 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9'),
  ],
};

function wheel(name: string, version: string, sha256: string, members: readonly string[] = ['nvidia/']): Wheel {
  return { name, version, sha256, members };
}

/** `CXR_ENGINE` (cpu or cuda) where it is set, else what the machine has. CxrError BAD_INPUT for another value. */
export function chooseFlavour(): Flavour {
  const wanted = process.env['CXR_ENGINE'];
  if (wanted !== undefined && wanted !== '' && wanted !== 'cpu' && wanted !== 'cuda') {
    throw new CxrError('BAD_INPUT', `CXR_ENGINE is "${wanted}"; expected cpu or cuda, or nothing, which takes what the machine has.`);
  }
  if (wanted === 'cpu' || wanted === 'cuda') return wanted;
  return existsSync('/proc/driver/nvidia/version') && existsSync('/dev/nvidiactl') ? 'cuda' : 'cpu';
}
