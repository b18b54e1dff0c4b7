import type { Box } from '@cxr-lens/data';
import { builder } from './builder.ts';

export const BoxType = builder.objectRef<Box>('Box').implement({
  description: 'In pixels of the image.',
  fields: (t) => ({ x: t.exposeFloat('x'), y: t.exposeFloat('y'), width: t.exposeFloat('width'), height: t.exposeFloat('height') }),
});
