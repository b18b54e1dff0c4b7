import { availableParallelism, cpus, totalmem } from 'node:os';
import { cpuFeatures } from '@cxr-lens/model/cpu';

/** Where figures come from. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  /** Whether the CPU itself multiplies bfloat16. */
  bf16: boolean;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    bf16: cpuFeatures().bf16,
  };
}

export function describe({ cpu, cores, memoryBytes, bf16 }: Machine): string {
  return `${cpu}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${bf16 ? 'multiplies' : 'does not multiply'} bfloat16 itself`;
}
