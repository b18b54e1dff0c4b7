import type { Finding } from '@cxr-lens/data';
import type { Auc } from '../auc/auc.ts';
import type { ScoreTable, Truth } from '../compare/types.ts';
import type { IouTable, LocalizationControls, LocalizationResult } from '../localization/types.ts';
import type { EpsilonFigureInput, ExplanationFigureInput } from './picture.ts';

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
  /** Of its training: runs of two methods with the same seed are compared with each other. */
  seed?: number;
  /** How it differs from the method as the paper trains it: 'Robust, epsilon 0.02'. Its runs are drawn together, and the paper says nothing of them. */
  variant?: string;
  /** What runs scored on pairs of their own are called together: 'Supervised, five networks'. */
  pool?: string;
  /** Per finding, in the order of FINDINGS; a finding that was not measured may be missing. */
  auc: Partial<Record<Finding, ReportAuc>>;
  meanAuc: number | null;
  meanAucInterval?: [number, number] | null;
  localization: LocalizationResult | null;
  /** The same maps by further protocols; each protocol has figures of its own. */
  further?: readonly LocalizationResult[];
  /** By the method's main protocol: what verdicts are computed from. */
  ious?: IouTable | null;
  /** Image by image; with `truth`, AUCs are compared in pairs. */
  scores?: ScoreTable;
}

/** The controls of one map size. */
export interface ReportControls extends LocalizationControls {
  /** '28 x 28': where controls of several map sizes stand side by side. */
  grid?: string;
}

/** Any number of runs measured on one data set. */
export interface ReportInput {
  title: string;
  dataSet: { name: string; synthetic: boolean; images: number; datasetHash?: string; splitHash?: string };
  runs: ReportRun[];
  /** Of each protocol and map size; drawn beside the curves of their protocol. */
  controls: ReportControls | readonly ReportControls[] | null;
  /** Labels and patients of the test images. */
  truth?: Truth;
  /** Fig. 1 and Fig. 4: pictures that the caller rendered. */
  explanations?: ExplanationFigureInput;
  epsilons?: EpsilonFigureInput;
  /** Resamples for the bands of pooled curves; default 2000. */
  resamples?: number;
  /** Warnings about runs, in sentences, to be read before their numbers. */
  warnings?: readonly string[];
  /** The commands that made the numbers. */
  commands: string[];
  /** Further lines for the head: code version, engine, seed, ... */
  details?: Record<string, string>;
}

/** Markdown, the figures it points to and the numbers behind them, by file name. */
export interface Report {
  markdown: string;
  /** SVG. */
  figures: Record<string, string>;
  /** CSV. */
  tables: Record<string, string>;
}
