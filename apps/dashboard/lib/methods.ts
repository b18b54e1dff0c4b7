import type { MapKind } from '../gql/graphql.ts';

/** One colour a method everywhere (Okabe-Ito; defined in globals.css); seeds of a method share it. */
export function methodColour(method: string): string {
  return `var(--method-${method.toLowerCase().replaceAll('_', '-')}, var(--control))`;
}

/** The method that a published result is of, by the name of its authors. */
const AUTHORS: readonly (readonly [RegExp, string])[] = [
  [/wang/i, 'nih'],
  [/chexnet|rajpurkar/i, 'chexnet'],
  [/\bli\b/i, 'supervised'],
];

/** The colour of a published result: its method's. */
export function referenceColour(label: string): string {
  return methodColour(AUTHORS.find(([author]) => author.test(label))?.[1] ?? 'none');
}

interface NamedRun {
  id: string;
  name: string;
  method: { name: string; label: string };
}

/** What to call each run among its neighbours: the method where that is enough, else the run's own name. */
export function runLabels(runs: readonly NamedRun[]): Map<string, string> {
  const times = new Map<string, number>();
  for (const { method } of runs) times.set(method.name, (times.get(method.name) ?? 0) + 1);
  return new Map(runs.map((run) => [run.id, times.get(run.method.name) === 1 ? run.method.label : run.name]));
}

/** The position of each run among those of its method: seeds share a colour and differ in their marker. */
export function runRanks(runs: readonly NamedRun[]): Map<string, number> {
  const seen = new Map<string, number>();
  return new Map(
    runs.map((run) => {
      const rank = seen.get(run.method.name) ?? 0;
      seen.set(run.method.name, rank + 1);
      return [run.id, rank];
    }),
  );
}

/** What a method's map is called, and the unit of its values. */
const MAPS: Record<MapKind, { label: string; unit: string }> = {
  CAM: { label: 'CAM', unit: 'CAM, logit units' },
  PATCH_SCORES: { label: 'Patch scores', unit: 'Patch score' },
  WALK_DIFFERENCE: { label: 'Difference of a walk', unit: 'Change in grey' },
};

export const mapLabel = (kind: MapKind): string => MAPS[kind].label;
export const mapUnit = (kind: MapKind): string => MAPS[kind].unit;

/** One name for the maps of several methods. */
export function mapsLabel(kinds: readonly MapKind[]): string {
  const [first, ...others] = new Set(kinds);
  return first && others.length === 0 ? mapLabel(first) : 'Map';
}
