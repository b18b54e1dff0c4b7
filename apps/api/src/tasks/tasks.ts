import { type PairedDifference, type PairedTask, pairedDifferences } from '../comparison/paired.ts';
import { draw, type Inspection, type InspectTask, inspect, type PictureTask } from '../pictures/draw.ts';

/** What would hold up every other request: decoding (a big DICOM file is parsed in one go), drawing, bootstraps. */
export type Task = InspectTask | PictureTask | PairedTask;

interface Results {
  inspect: Inspection;
  difference: PairedDifference[] | null;
  image: Uint8Array;
  overlay: Uint8Array;
  cam: Uint8Array;
  saliency: Uint8Array;
}

export type TaskResult<T extends Task> = Results[T['kind']];

/** Runs one task in its process. */
export function perform(task: Task): Promise<Results[Task['kind']]> {
  if (task.kind === 'inspect') return inspect(task);
  return task.kind === 'difference' ? pairedDifferences(task) : draw(task);
}
