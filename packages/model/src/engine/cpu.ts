import { readFileSync } from 'node:fs';

/** The instruction sets of the CPU. Loads no TensorFlow. */
export interface CpuFeatures {
  /** Whether it multiplies bfloat16 (avx512_bf16 or amx_bf16). */
  bf16: boolean;
  /** Whether it computes on 16 floats at once. */
  avx512: boolean;
}

export function cpuFeatures(): CpuFeatures {
  const flags = readFileSync('/proc/cpuinfo', 'utf8');
  return { bf16: /\b(avx512_bf16|amx_bf16)\b/.test(flags), avx512: /\bavx512f\b/.test(flags) };
}
