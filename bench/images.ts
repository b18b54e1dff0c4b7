import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FINDINGS, random } from '@cxr-lens/data';

/** A batch as all subjects get it. */
export interface Images {
  /** [B, S, S], grey bytes. */
  pixels: Uint8Array;
  /** [B, 14], 0 or 1. */
  labels: Uint8Array;
}

// Of the squares of one grey.
const SQUARE = 32;

/**
 * Squares of random grey under noise, and labels of which a tenth is positive: files `images` and `labels`. Noise alone would make all
 * images alike to a network, and the gradients of batch norm small differences of large numbers.
 */
export function writeImages(folder: string, { count, side }: { count: number; side: number }): void {
  const { int, next } = random('bench/images');
  const across = Math.ceil(side / SQUARE);
  const squares = Array.from({ length: count * across ** 2 }, () => int(192));
  const pixels = Uint8Array.from({ length: count * side ** 2 }, (_, index) => {
    const [image, row, column] = [Math.floor(index / side ** 2), Math.floor(index / side) % side, index % side];
    const square = (image * across + Math.floor(row / SQUARE)) * across + Math.floor(column / SQUARE);
    return squares[square]! + int(64);
  });
  writeFileSync(path.join(folder, 'images'), pixels);
  writeFileSync(
    path.join(folder, 'labels'),
    Uint8Array.from({ length: count * FINDINGS.length }, () => (next() < 0.1 ? 1 : 0)),
  );
}

/** The first of them. */
export function readImages(folder: string, batch: number): Images {
  const [pixels, labels] = ['images', 'labels'].map((name) => readFileSync(path.join(folder, name)));
  const area = (pixels!.length * FINDINGS.length) / labels!.length;
  return {
    pixels: new Uint8Array(pixels!.subarray(0, batch * area)),
    labels: new Uint8Array(labels!.subarray(0, batch * FINDINGS.length)),
  };
}
