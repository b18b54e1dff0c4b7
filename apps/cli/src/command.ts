import type { Command } from 'commander';

/** One command of `cxr-lens`: its file is loaded only when it is asked for, so that `metrics` never loads TensorFlow. */
export interface CommandModule {
  /** Adds arguments, options and the action to the prepared sub-command. */
  configure(program: Command): void;
}
