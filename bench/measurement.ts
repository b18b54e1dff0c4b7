/** What one process found out: one task of one subject, as one line of JSON. */
export interface Measurement {
  /** With its version and precision, "PyTorch 2.15.0 bf16". */
  subject: string;
  network: string;
  task: string;
  /** Images of a call. */
  batch: number;
  /** Of one call. */
  secondsMedian: number;
  imagesPerSecond: number;
  /** Of the process. */
  peakRssBytes: number;
  runs: number;
  /** What must agree with the other subjects': losses of the first steps, logits, or pixels of gradients. */
  outputs: number[];
  /** Ours, of trainings: how long the first step took. */
  firstSeconds?: number;
  /** Ours, of explanations: its time as a share of that of logits alone, or of one finding; median of as many runs. */
  besideSingle?: number;
}

const OURS = 'CXR Lens';

export function isOurs({ subject }: Pick<Measurement, 'subject'>): boolean {
  return subject.startsWith(OURS);
}

// Shares of the greatest value: sums in another order through up to 121 layers, and 8 bits of a number through as many.
const TOLERANCE = { float32: 1e-3, bf16: 5e-2 };

/** The greatest difference as a share of the greatest expected value; NaN where there is nothing to compare. */
export function difference(found: readonly number[], expected: readonly number[]): number {
  if (found.length !== expected.length || found.length === 0) return Number.NaN;
  const greatest = Math.max(...expected.map(Math.abs));
  return Math.max(...found.map((value, index) => Math.abs(value - expected[index]!))) / greatest;
}

/** Whether a subject computes the same, within what its precision allows. */
export function agrees({ subject }: Pick<Measurement, 'subject'>, found: number): boolean {
  return found <= TOLERANCE[subject.includes('bf16') ? 'bf16' : 'float32'];
}
