import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { closeHome } from './private.ts';

// A worker thread may not set the umask of its process.
const umask = vi.spyOn(process, 'umask').mockReturnValue(0o022);
beforeEach(() => {
  umask.mockClear();
  vi.stubEnv('CXR_HOME', '/srv/cxr');
});
afterEach(() => vi.unstubAllEnvs());

it.each([
  ['serve'],
  ['demo'],
  ['backup', '/mnt/backup'],
  ['restore', '/mnt/backup'],
  ['train', 'baseline', '--out', '/srv/cxr/runs/b'],
  ['train', 'baseline', '--out=/srv/cxr/runs/b'],
  ['evaluate', '/srv/cxr'],
])('closes what is written to other accounts: %s %s', (...args) => {
  closeHome(args);
  expect(umask).toHaveBeenCalledWith(0o077);
});

it.each([['train', 'baseline', '--out', '/srv/cxr-shared/b'], ['phantom', path.resolve('phantom')], ['runs', '/srv'], []])(
  'leaves the rights of what is written elsewhere: %s %s',
  (...args) => {
    closeHome(args);
    expect(umask).not.toHaveBeenCalled();
  },
);
