import { type Random, random } from '../random.ts';
import { smoothstep } from './noise.ts';
import type { Raster } from './raster.ts';
import type { Maps } from './thorax.ts';

/** Linear attenuation per mm at about 60 keV (phantom's table; metal is steel or lead, thin but opaque). */
export const ATTENUATION = { soft: 0.02, fat: 0.018, lung: 0.005, bone: 0.05, air: 0, metal: 1.0 } as const;

/** What the X-ray tube, detector and display do on one exposure. */
export interface Exposure {
  /** Quanta a mm^2 of open field: sets the noise. */
  quanta: number;
  /** Scattered over primary radiation in the middle of the body, after the grid. */
  scatter: number;
  /** Sigma in mm of focal spot and detector. */
  blur: number;
  /** Display: which share of pixels is black and white, and the tone curve's exponent. */
  black: number;
  white: number;
  gamma: number;
  /** Share of the image's width or height that the collimator covers: left, top, right, bottom. */
  collimation: readonly [number, number, number, number];
}

/** Optical thickness sum(mu t) of every pixel. What is not fat, bone, lung or air is soft tissue. `lungDensity` scales the lung's attenuation. */
export function opticalThickness(maps: Maps, lungDensity: number): Float32Array {
  const { body, fat, lung, air, bone, vessels, metal } = maps;
  const tau = new Float32Array(body.length);
  const lungMu = ATTENUATION.lung * lungDensity;
  for (let i = 0; i < tau.length; i++) {
    const vessel = vessels[i]! < lung[i]! ? vessels[i]! : lung[i]!;
    const aerated = lung[i]! - vessel;
    const gas = air[i]! < body[i]! - aerated ? air[i]! : Math.max(0, body[i]! - aerated);
    const rest = body[i]! - aerated - gas - fat[i]! - bone[i]!;
    tau[i] =
      ATTENUATION.soft * (rest > 0 ? rest : 0) +
      ATTENUATION.fat * fat[i]! +
      lungMu * aerated +
      ATTENUATION.bone * bone[i]! +
      ATTENUATION.metal * metal[i]!;
  }
  return tau;
}

/** Beer-Lambert: share of the beam that passes, I / I0 = exp(-tau). */
export function transmit(tau: Float32Array): Float32Array {
  const passed = new Float32Array(tau.length);
  for (let i = 0; i < tau.length; i++) passed[i] = Math.exp(-tau[i]!);
  return passed;
}

/** Gaussian blur, separable, sigma in pixels, edges repeated. Returns a new map. */
export function gaussianBlur(map: Float32Array, size: number, sigma: number): Float32Array {
  const reach = Math.max(1, Math.ceil(3 * sigma));
  const kernel = new Float64Array(reach + 1);
  let total = 0;
  for (let k = 0; k <= reach; k++) {
    kernel[k] = Math.exp((-k * k) / (2 * sigma * sigma));
    total += (k === 0 ? 1 : 2) * kernel[k]!;
  }
  for (let k = 0; k <= reach; k++) kernel[k]! /= total;
  const across = new Float32Array(map.length);
  const out = new Float32Array(map.length);
  const line = new Float64Array(size + 2 * reach);
  for (let y = 0; y < size; y++) {
    for (let i = -reach; i < size + reach; i++) line[i + reach] = map[y * size + Math.max(0, Math.min(size - 1, i))]!;
    for (let x = 0; x < size; x++) {
      let sum = kernel[0]! * line[x + reach]!;
      for (let k = 1; k <= reach; k++) sum += kernel[k]! * (line[x + reach - k]! + line[x + reach + k]!);
      across[y * size + x] = sum;
    }
  }
  for (let y = 0; y < size; y++) {
    for (let k = -reach; k <= reach; k++) {
      const row = Math.max(0, Math.min(size - 1, y + k)) * size;
      const weight = kernel[Math.abs(k)]!;
      for (let x = 0; x < size; x++) out[y * size + x]! += weight * across[row + x]!;
    }
  }
  return out;
}

/** Sigma of the scatter's glare in mm. */
const GLARE = 42;

/** Scattered radiation: born where the body stops the beam, spread wide. */
function scattered(passed: Float32Array, raster: Raster): Float32Array {
  const born = new Float32Array(passed.length);
  for (let i = 0; i < born.length; i++) born[i] = passed[i]! * (1 - passed[i]!) ** 2;
  return wideBlur(born, raster, GLARE, 32);
}

/** A blur so wide that it is computed on a `grid` x `grid` image of means, and brought back by linear interpolation. Sigma in mm. */
function wideBlur(map: Float32Array, raster: Raster, sigma: number, grid: number): Float32Array {
  const { size } = raster;
  const coarse = new Float32Array(grid * grid);
  const counts = new Float32Array(grid * grid);
  const cellOf = Int32Array.from({ length: size }, (_, i) => Math.floor((i * grid) / size));
  for (let y = 0; y < size; y++) {
    const row = cellOf[y]! * grid;
    for (let x = 0; x < size; x++) {
      const cell = row + cellOf[x]!;
      coarse[cell]! += map[y * size + x]!;
      counts[cell]! += 1;
    }
  }
  for (let i = 0; i < coarse.length; i++) coarse[i]! /= counts[i]! || 1;
  const blurred = gaussianBlur(coarse, grid, (sigma / (raster.pitch * size)) * grid);
  const out = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    const gy = Math.max(0, Math.min(grid - 1.001, ((y + 0.5) * grid) / size - 0.5));
    const yi = Math.floor(gy);
    const ty = gy - yi;
    for (let x = 0; x < size; x++) {
      const gx = Math.max(0, Math.min(grid - 1.001, ((x + 0.5) * grid) / size - 0.5));
      const xi = Math.floor(gx);
      const tx = gx - xi;
      const i = yi * grid + xi;
      const top = blurred[i]! + (blurred[i + 1]! - blurred[i]!) * tx;
      const bottom = blurred[i + grid]! + (blurred[i + grid + 1]! - blurred[i + grid]!) * tx;
      out[y * size + x] = top + (bottom - top) * ty;
    }
  }
  return out;
}

/** Densities below this are beam that met nobody. */
const OPEN_FIELD = 0.6;
const COARSE = 0.88;
const DETAIL = 1.22;

/** A table of standard normals, read from a random place on in each row: drawing 65,536 anew would cost as much as the rest of the picture. */
const NORMALS = 8192;
const normals = (() => {
  const stream = random('phantom/noise');
  return Float32Array.from({ length: NORMALS }, () => stream.normal());
})();

/** From optical thickness to the 8-bit picture: transmission, blur, scatter, noise, logarithm, window, tone curve, collimator's shadow. */
export function expose(tau: Float32Array, raster: Raster, exposure: Exposure, stream: Random): Uint8Array {
  const { size } = raster;
  const passed = transmit(tau);
  const sigma = Math.max(0.5, exposure.blur / raster.pitch); // below half a pixel the pixel itself is the blur
  const sharp = gaussianBlur(passed, size, sigma);
  const glare = scattered(passed, raster);
  const quantaPerPixel = exposure.quanta * raster.pitch * raster.pitch;
  const density = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    const from = stream.int(NORMALS);
    for (let x = 0; x < size; x++) {
      const i = y * size + x;
      const signal = sharp[i]! + exposure.scatter * glare[i]!;
      // Poisson noise: with hundreds of quanta a pixel it is normal with variance = mean
      const noisy = signal + Math.sqrt(signal / quantaPerPixel) * normals[(from + x) & (NORMALS - 1)]!;
      density[i] = -Math.log(noisy > 1e-5 ? noisy : 1e-5);
    }
  }
  return develop(enhance(density, raster), raster, exposure);
}

/** What digital systems do before the display: coarse contrast is compressed, detail is lifted. Open field is left out, so that skin does not glow. */
function enhance(density: Float32Array, raster: Raster): Float32Array {
  const out = new Float32Array(density.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.max(OPEN_FIELD, density[i]!);
  const coarse = wideBlur(out, raster, 13, 64);
  for (let i = 0; i < out.length; i++) {
    const value = density[i]!;
    out[i] = value < OPEN_FIELD ? value : COARSE * coarse[i]! + DETAIL * (value - coarse[i]!);
  }
  return out;
}

/** Steps of the tone curve's table. */
const TONES = 2048;

/** Logarithmic densities to 8 bit: the window spans two percentiles of what the collimator leaves, through an S-shaped curve as film's. */
function develop(density: Float32Array, raster: Raster, exposure: Exposure): Uint8Array {
  const { size } = raster;
  const [left, top, right, bottom] = exposure.collimation;
  const x0 = Math.ceil(left * size);
  const x1 = Math.floor((1 - right) * size);
  const y0 = Math.ceil(top * size);
  const y1 = Math.floor((1 - bottom) * size);
  const histogram = new Uint32Array(1024); // densities 0 ... 8
  let count = 0;
  for (let y = y0; y < y1; y++) {
    for (let x = x0 + (y % 3); x < x1; x += 3) {
      const value = density[y * size + x]!;
      if (value < OPEN_FIELD) continue; // open field says nothing of the patient
      histogram[Math.min(1023, Math.floor(value * 128))]!++;
      count++;
    }
  }
  const low = percentile(histogram, count, 0.02) - exposure.black;
  const high = percentile(histogram, count, 0.97) + exposure.white;
  const curve = Uint8Array.from({ length: TONES + 1 }, (_, i) => {
    const t = i / TONES;
    return Math.round(255 * 0.97 * (0.55 * t + 0.45 * smoothstep(-0.06, 1.08, t)) ** exposure.gamma);
  });
  const pixels = new Uint8Array(size * size);
  const scale = TONES / (high - low);
  for (let y = y0; y < y1; y++) {
    for (let i = y * size + x0; i < y * size + x1; i++) {
      const t = (density[i]! - low) * scale;
      pixels[i] = curve[t <= 0 ? 0 : t >= TONES ? TONES : Math.round(t)]!;
    }
  }
  return pixels;
}

function percentile(histogram: Uint32Array, count: number, share: number): number {
  let seen = 0;
  for (let i = 0; i < histogram.length; i++) {
    seen += histogram[i]!;
    if (seen >= share * count) return i / 128;
  }
  return histogram.length / 128;
}
