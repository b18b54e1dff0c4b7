// Imported before the package of TF.js: checks the library, and prepares Node for it.
import { createRequire } from 'node:module';
import path from 'node:path';
import util from 'node:util';
import { installedEngine, QUIET } from './cache.ts';

// TF.js 4.22 still calls what Node 24 removed from `util`.
Object.assign(util, { isNullOrUndefined: (value: unknown) => value === null || value === undefined, isArray: Array.isArray });

// TensorFlow switches oneDNN on by itself only where the CPU has AVX-512; its kernels are the faster ones
// everywhere, and graphs of training steps take its fused batch norm, whatever the environment says.
process.env['TF_ENABLE_ONEDNN_OPTS'] = '1';

createRequire(import.meta.url)(path.join(installedEngine().folder, QUIET));
