import type { Finding } from '../findings.ts';
import type { Split } from '../nih/nih.ts';
import { random } from '../random.ts';
import type { PhantomImage } from './plan.ts';
import type { Prevalence } from './prevalence.ts';

/** Signs that go with a finding without being it. */
export const SHORTCUTS = ['marker', 'portable', 'leads', 'tube', 'drain', 'pacemaker', 'device'] as const;
export type Shortcut = (typeof SHORTCUTS)[number];

/** How strong the shortcuts are, 0 = none ... 1 = strong. */
export interface ShortcutDials {
  train: number;
  validation: number;
  test: number;
}

const SICK: readonly Finding[] = ['Atelectasis', 'Effusion', 'Infiltration', 'Pneumonia', 'Consolidation', 'Edema'];

/** With which findings a sign comes, and how often with and without one of them when the dial stands at 1. */
const RULES: Record<Exclude<Shortcut, 'marker' | 'portable'>, { findings: readonly Finding[]; present: number; absent: number }> = {
  leads: { findings: ['Effusion', 'Consolidation', 'Edema'], present: 0.85, absent: 0.06 },
  tube: { findings: ['Pneumonia', 'Consolidation', 'Edema'], present: 0.7, absent: 0.03 },
  drain: { findings: ['Pneumothorax'], present: 0.9, absent: 0.02 },
  pacemaker: { findings: ['Cardiomegaly'], present: 0.8, absent: 0.03 },
  device: { findings: ['Infiltration', 'Fibrosis', 'Pneumonia'], present: 0.85, absent: 0.08 },
};

/** Share of AP views without shortcuts: NIH's for `nih`, the mean of both splits for `enriched`. */
const AP_SHARE = { nih: { train: 0.35, validation: 0.35, test: 0.57 }, enriched: { train: 0.45, validation: 0.45, test: 0.45 } } as const;

/** Chooses view and shortcuts of every image. At 0 the view knows nothing of the findings and no sign is drawn; at 1 the sick lie in bed with everything attached. */
export function addShortcuts(
  images: readonly PhantomImage[],
  options: { seed: number; dials: ShortcutDials; prevalence: Prevalence; splitOf(name: string): Split },
): void {
  for (const image of images) {
    const split = options.splitOf(image.name);
    const dial = options.dials[split];
    const stream = random(`phantom/${options.seed}/${image.name}/shortcuts`);
    const has = (findings: readonly Finding[]): boolean => image.findings.some(({ finding }) => findings.includes(finding));
    const usual = AP_SHARE[options.prevalence][split];
    image.view = stream.next() < (has(SICK) ? usual + dial * (0.93 - usual) : usual * (1 - 0.85 * dial)) ? 'AP' : 'PA';
    const chances: Record<Shortcut, number> = {
      marker: 0.9,
      portable: image.view === 'AP' ? 0.9 : 0.01,
      leads: 0,
      tube: 0,
      drain: 0,
      pacemaker: 0,
      device: 0,
    };
    for (const [name, rule] of Object.entries(RULES)) chances[name as keyof typeof RULES] = has(rule.findings) ? rule.present : rule.absent;
    image.shortcuts = SHORTCUTS.filter((shortcut) => stream.next() < dial * chances[shortcut]);
  }
}
