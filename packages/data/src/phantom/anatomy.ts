import type { Random } from '../random.ts';
import { around, between } from './noise.ts';
import type { Pose } from './raster.ts';

export type Sex = 'M' | 'F';
export type View = 'PA' | 'AP';

/** What a patient keeps over all visits. Lengths in mm. */
export interface Anatomy {
  sex: Sex;
  /** Inner half-width and half-depth of the chest at its widest, and the height from apex to the right dome in deep inspiration. */
  halfWidth: number;
  halfDepth: number;
  lungHeight: number;
  /** Muscle and fat of the chest wall, one side. */
  wall: number;
  fat: number;
  breast: number;
  /** Cardiothoracic ratio of the healthy heart, PA. */
  heartRatio: number;
  /** Radians of the heart's long axis below the horizontal. */
  heartAxis: number;
  aorticKnob: number;
  spineCurve: number;
  ribDrop: number;
  ribRadius: number;
  ribPitch: number;
  /** How much the left dome lies below the right one. */
  domeGap: number;
  /** Bone density, 1 = young adult. */
  bone: number;
  /** Seeds the vessels' tree, the ribs' small differences, lung texture: drawn alike on every visit. */
  seed: string;
}

/** The chest on one visit: geometry that findings may change before anything is drawn. u in mm from the midline (+ = the patient's left), v in mm below the apices. */
export interface Chest extends Anatomy {
  view: View;
  domeRight: number;
  domeLeft: number;
  /** How far a dome falls from its top to the costophrenic angle: small = flat. */
  domeFall: number;
  heartWidth: number;
  /** Mediastinum's move towards the patient's left. */
  shift: number;
  /** Turn of the trunk about its long axis, in mm of apparent move of what lies in front. */
  twist: number;
  /** Attenuation of aerated lung in units of normal lung. */
  lungDensity: number;
  /** Radius of vessels in units of normal, centrally and far out. */
  vesselCentral: number;
  vesselPeripheral: number;
  /** How far the scapulae lie over the lungs, 0 ... 1. */
  scapulaIn: number;
  armOut: number;
  stomachAir: number;
  supine: boolean;
}

/** Draws a patient's build. `age` in years. */
export function drawAnatomy(random: Random, sex: Sex, age: number, seed: string): Anatomy {
  const small = sex === 'F' ? 0.91 : 1;
  const size = around(random, small, 0.045);
  const weight = random.next() ** 1.6; // 0 thin ... 1 heavy
  return {
    sex,
    halfWidth: around(random, 141, 6) * size,
    halfDepth: around(random, 84, 5) * size * (1 + 0.12 * weight),
    lungHeight: around(random, 226, 12) * size,
    wall: around(random, 17, 2) + 6 * weight,
    fat: 5 + 26 * weight,
    breast: sex === 'F' ? between(random, 0.35, 0.8) + 0.5 * weight : 0.12 * weight,
    heartRatio: around(random, 0.445 + 0.0008 * (age - 45) + 0.025 * weight, 0.033),
    heartAxis: around(random, 0.62 - 0.2 * weight, 0.08),
    aorticKnob: around(random, 15 + 0.09 * Math.max(0, age - 30), 1.6),
    spineCurve: around(random, 0, 3.5),
    ribDrop: around(random, 124, 10),
    ribRadius: around(random, 6.6, 0.5) * small,
    ribPitch: around(random, 24.5, 0.8) * size,
    domeGap: around(random, 11, 5),
    bone: 1 - 0.005 * Math.max(0, age - 40),
    seed,
  };
}

/** A patient's chest on one visit: inspiration, posture, and what a portable AP exposure does (higher domes, larger heart, scapulae over the lungs). */
export function drawVisit(random: Random, anatomy: Anatomy, view: View): Chest {
  const ap = view === 'AP';
  const inspiration = around(random, ap ? -14 : 0, ap ? 11 : 6);
  const dome = anatomy.lungHeight + inspiration;
  const ratio = anatomy.heartRatio * (ap ? between(random, 1.05, 1.13) : 1) - 0.0006 * inspiration;
  return {
    ...anatomy,
    view,
    domeRight: dome,
    domeLeft: dome + anatomy.domeGap,
    domeFall: around(random, 42, 5) - (ap ? 5 : 0),
    heartWidth: Math.min(0.535, ratio) * 2 * anatomy.halfWidth,
    shift: around(random, 0, 2),
    twist: around(random, 0, ap ? 6 : 3),
    lungDensity: between(random, 0.9, 1.12) * (ap ? 1.12 : 1),
    vesselCentral: between(random, 0.92, 1.08) * (ap ? 1.08 : 1),
    vesselPeripheral: between(random, 0.9, 1.1),
    scapulaIn: ap ? between(random, 0.35, 1) : between(random, 0, 0.35),
    armOut: ap ? between(random, 0, 0.4) : between(random, 0.5, 1),
    stomachAir: random.next() < 0.6 ? between(random, 0.3, 1) : 0,
    supine: ap && random.next() < 0.55,
  };
}

/** How the patient lies on the film: PA mostly upright 35 x 43 cm, AP mostly crosswise, larger (short distance), less well centred. */
export function drawPose(random: Random, chest: Chest): Pose {
  const ap = chest.view === 'AP';
  const crosswise = random.next() < (ap ? 0.75 : 0.4) || (!ap && chest.halfWidth > 152);
  const spread = ap ? 1.7 : 1;
  const magnification = around(random, ap ? 1.13 : 1.05, ap ? 0.04 : 0.02);
  return {
    width: crosswise ? 430 : 350,
    height: crosswise ? 350 : 430,
    magnification,
    du: around(random, 0, 6) * spread,
    // crosswise the chest fills the height; upright there is more neck and belly
    dv: around(random, crosswise ? 0 : -22, 9) * spread,
    angle: around(random, 0, 0.02) * spread,
  };
}
