import { builder } from './builder.ts';

const Viewer = builder.objectRef<{ name: string }>('Viewer').implement({
  description: 'Who asks.',
  fields: (t) => ({ name: t.exposeString('name') }),
});

// Until sign-in exists everything binds to 127.0.0.1, and whoever reaches it is the person at this machine.
builder.queryField('viewer', (t) => t.field({ type: Viewer, resolve: () => ({ name: 'local' }) }));
