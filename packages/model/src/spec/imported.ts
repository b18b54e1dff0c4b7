import { CxrError } from '@cxr-lens/data';
import { z } from 'zod';
import { METHOD_NAMES, METHODS, type MethodName } from './methods.ts';
import type { NetworkName } from './networks.ts';
import { NormalisationSchema } from './normalisation.ts';

/** Networks that torchvision has too, with parameters of the same meaning under other names. */
export const TORCHVISION_NETWORKS = ['densenet121', 'resnet50'] as const;

export type TorchvisionNetwork = (typeof TORCHVISION_NETWORKS)[number];

/** The network of that name; CxrError BAD_INPUT names the known ones. */
export function parseTorchvisionNetwork(text: string): TorchvisionNetwork {
  const found = TORCHVISION_NETWORKS.find((name) => name === text);
  if (!found) throw new CxrError('BAD_INPUT', `"${text}" cannot be imported; the networks are ${TORCHVISION_NETWORKS.join(', ')}.`);
  return found;
}

export const Sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hexadecimal');

/** Weights of another program, as what started from them records them. */
export const ImportedSchema = z.object({
  /** The folder's name. */
  id: z.string().min(1),
  network: z.enum(TORCHVISION_NETWORKS),
  /** Of the file that was imported. */
  sourceSha256: Sha256Schema,
  /** Of the same weights under our names. */
  weightsSha256: Sha256Schema,
  /** Whether a head of the 14 findings came along. */
  head: z.enum(['findings', 'none']),
});

/** `imported.json`, beside the weights under our names. */
export const ImportedFileSchema = ImportedSchema.extend({
  format: z.literal(1),
  normalisation: NormalisationSchema,
  importedAt: z.iso.datetime(),
});

export type Imported = z.infer<typeof ImportedSchema>;
export type ImportedFile = z.infer<typeof ImportedFileSchema>;

/** The imported network whose layers a method's network takes, and the network that it then is. */
const TAKES: Partial<Record<NetworkName, { from: TorchvisionNetwork; as: NetworkName }>> = {
  'truncated-densenet121': { from: 'densenet121', as: 'truncated-densenet121' },
  densenet121: { from: 'densenet121', as: 'densenet121' },
  resnet50: { from: 'resnet50', as: 'resnet50' },
  'resnet50-transition': { from: 'resnet50', as: 'resnet50-transition' },
  // Pre-activated units have other layers: with imported weights Supervised is on the plain ResNet.
  'preact-resnet50-patches': { from: 'resnet50', as: 'resnet50-patches' },
};

/** The network of the method on those imported weights; null where it takes none of their layers or starts from another run. */
export function networkOnImported(method: MethodName, imported: TorchvisionNetwork): NetworkName | null {
  if (METHODS[method].startsFrom !== null) return null;
  const takes = TAKES[METHODS[method].network];
  return takes?.from === imported ? takes.as : null;
}

/** The methods whose runs can start from those weights. */
export function methodsOnImported(imported: TorchvisionNetwork): MethodName[] {
  return METHOD_NAMES.filter((method) => networkOnImported(method, imported) !== null);
}
