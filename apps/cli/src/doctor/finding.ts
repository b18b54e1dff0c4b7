/** What `doctor` says of one part. */
export interface Finding {
  part: 'machine' | 'engine' | 'database' | 'storage' | 'objects' | 'runs' | 'access';
  ok: boolean;
  says: string;
  /** One line for each thing that is wrong, or was repaired. */
  details?: string[];
}

/** "1 object", "2 objects". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
