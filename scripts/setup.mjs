import { script } from './lib/run.mjs';
import { buildPages, setup } from './lib/setup.mjs';

await script(async () => {
  await setup();
  await buildPages();
});
