/** One report of a long task: `what` is a short phrase a person reads, `done` of `total` steps are finished. */
export interface Progress {
  what: string;
  done: number;
  total: number;
}

export type OnProgress = (progress: Progress) => void;
