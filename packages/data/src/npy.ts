import { CxrError } from './error.ts';

/** An array as NumPy stores it, C order. float16 and float64 files are read as Float32Array. */
export interface NpyArray {
  shape: number[];
  data: Float32Array | Uint8Array;
}

export type NpyType = 'float32' | 'float16' | 'uint8';

/** The bytes of a .npy file; `type` defaults to the array's own, 'float16' rounds to nearest even. */
export function encodeNpy(_data: Float32Array | Uint8Array, _shape: readonly number[], _type?: NpyType): Uint8Array {
  throw new CxrError('INTERNAL', 'encodeNpy is not there yet');
}

/** Reads the bytes of a .npy file; `where` names it in errors. */
export function decodeNpy(_bytes: Uint8Array, where: string): NpyArray {
  throw new CxrError('INTERNAL', `decodeNpy is not there yet (${where})`);
}

/** Writes one .npy file. */
export async function writeNpy(path: string, _data: Float32Array | Uint8Array, _shape: readonly number[], _type?: NpyType): Promise<void> {
  throw new CxrError('INTERNAL', `writeNpy is not there yet (${path})`);
}

/** Reads one .npy file. */
export async function readNpy(path: string): Promise<NpyArray> {
  throw new CxrError('INTERNAL', `readNpy is not there yet (${path})`);
}
