import type { Finding } from '../findings.ts';
import type { PhantomImage } from './plan.ts';

/** The plan of one image outside of any data set: one finding of that grade, 0 barely there ... 1 obvious, or none. */
export function singleFinding(
  finding: Finding | null,
  { view, grade, number, sheet }: { view: 'PA' | 'AP'; grade: number; number: number; sheet: string },
): PhantomImage {
  const age = 28 + ((number * 13) % 50);
  return {
    name: `${sheet}_${number}.png`,
    patientId: `${sheet} ${number}`,
    followUp: 0,
    age,
    buildAge: age,
    sex: number % 2 ? 'M' : 'F',
    view,
    test: true,
    findings: finding ? [{ finding, grade }] : [],
    labels: [],
    shortcuts: [],
  };
}
