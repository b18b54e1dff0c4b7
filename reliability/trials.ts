import { backup } from './backup.ts';
import { containers } from './containers.ts';
import { crash } from './crash.ts';
import { closeDemo } from './demo.ts';
import { disk } from './disk.ts';
import { load, soak } from './load.ts';
import { power } from './power.ts';
import { type Conditions, type Outcome, Skipped, type Trial, table } from './trial.ts';

const TRIALS: Record<string, Trial> = { power, containers, disk, crash, backup, load, soak };

export const TRIAL_NAMES = Object.keys(TRIALS);

/** Runs the trials one after another; what a machine cannot try is skipped with the reason. */
export async function runTrials(names: readonly string[], conditions: Conditions): Promise<{ outcomes: Outcome[]; skipped: string[] }> {
  const outcomes: Outcome[] = [];
  const skipped: string[] = [];
  try {
    for (const name of names) {
      conditions.signal.throwIfAborted();
      try {
        const outcome = await TRIALS[name]!(conditions);
        outcomes.push(outcome);
        // At once: what comes after may take long, or be stopped.
        conditions.say(table([outcome]));
      } catch (error) {
        if (!(error instanceof Skipped)) throw error;
        skipped.push(`${name}: ${error.message}`);
      }
    }
  } finally {
    await closeDemo();
  }
  return { outcomes, skipped };
}
