import type { Finding } from '../../findings.ts';
import { hernia, mass, nodule } from './focal.ts';
import type { Drawer } from './lesion.ts';
import { consolidation, edema, infiltration, pneumonia } from './opacities.ts';
import { effusion, pleuralThickening, pneumothorax } from './pleura.ts';
import { atelectasis, cardiomegaly, emphysema, fibrosis } from './volume.ts';

/** How each finding is drawn. They are painted in this order: first what changes the lung, then what lies in it, then what lies around it. */
export const DRAWERS = {
  Cardiomegaly: cardiomegaly,
  Emphysema: emphysema,
  Edema: edema,
  Fibrosis: fibrosis,
  Infiltration: infiltration,
  Pneumonia: pneumonia,
  Consolidation: consolidation,
  Atelectasis: atelectasis,
  Mass: mass,
  Nodule: nodule,
  Hernia: hernia,
  Pleural_Thickening: pleuralThickening,
  Effusion: effusion,
  Pneumothorax: pneumothorax,
} as const satisfies Record<Finding, Drawer>;
