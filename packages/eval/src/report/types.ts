import type { Finding } from '@cxr-lens/data';
import type { Auc } from '../auc/auc.ts';
import type { LocalizationControls, LocalizationResult } from '../localization/types.ts';

/** AUC of one finding as a report prints it. */
export interface ReportAuc extends Auc {
  /** 95 % interval of the patient bootstrap. */
  bootstrap?: [number, number] | null;
}

/** One run's evaluation: plain results, nothing recomputed by the report. */
export interface ReportRun {
  /** What people call it: 'Baseline', 'Robust, seed 1'. */
  label: string;
  /** Name in the methods' registry, which gives the colour: 'baseline', 'robust', ... */
  method: string;
  /** Per finding, in the order of FINDINGS; a finding that was not measured may be missing. */
  auc: Partial<Record<Finding, ReportAuc>>;
  meanAuc: number | null;
  meanAucInterval?: [number, number] | null;
  localization: LocalizationResult | null;
}

/** Several runs measured on one data set. */
export interface ReportInput {
  title: string;
  dataSet: { name: string; synthetic: boolean; images: number; datasetHash?: string; splitHash?: string };
  runs: ReportRun[];
  controls: LocalizationControls | null;
  /** Of the bootstrap of the differences; default: the localisation's seed and 2000 resamples. */
  seed?: number;
  resamples?: number;
  /** The commands that made the numbers. */
  commands: string[];
  /** Further lines for the head: code version, engine, seed, ... */
  details?: Record<string, string>;
}

/** Markdown and the figures it points to, by file name. */
export interface Report {
  markdown: string;
  figures: Record<string, string>;
}
