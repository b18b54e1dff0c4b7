import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** Where figures come from. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  /** Whether the CPU itself multiplies bfloat16. */
  bf16: boolean;
}

export function thisMachine(): Machine {
  const flags = readFileSync('/proc/cpuinfo', 'utf8');
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    bf16: /\b(avx512_bf16|amx_bf16)\b/.test(flags),
  };
}

export function describe({ cpu, cores, memoryBytes, bf16 }: Machine): string {
  return `${cpu}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${bf16 ? 'multiplies' : 'does not multiply'} bfloat16 itself`;
}
