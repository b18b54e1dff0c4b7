import { script } from './lib/run.mjs';
import { setup } from './lib/setup.mjs';

await script(setup);
