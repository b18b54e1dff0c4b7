import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './demo/port.ts';

const execute = promisify(execFile);
const CLONE = path.resolve(import.meta.dirname, '../../..');
const BIN = path.join(CLONE, 'apps/cli/bin/cxr-lens.mjs');
const PAGES = path.join(CLONE, 'apps/dashboard');
const ENGINE = path.join(CLONE, 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node');

const folder = mkdtempSync(path.join(tmpdir(), 'cxr-lens-installed-'));

// Of a mount namespace of its own: nothing here is seen outside. The engine may lie in a home that is closed to others, where an
// administrator would have set XDG_CACHE_HOME.
const MOUNTS = `
set -e
ENGINE=$(dirname $(dirname $(dirname $(readlink -f ${ENGINE}))))
mkdir -p ${folder}/engine
mount --bind $ENGINE ${folder}/engine
for at in $(dirname $ENGINE | sed 's,^/\\([^/]*\\).*,/\\1,'); do
  if ! setpriv --reuid=65534 --regid=65534 --clear-groups test -r $ENGINE/manifest.json; then
    mount -t tmpfs -o mode=755 tmpfs $at
    mkdir -p $ENGINE
    mount --bind ${folder}/engine $ENGINE
  fi
done
mount --bind ${CLONE} ${CLONE}
mount -o remount,bind,ro ${CLONE}
cd /
`;
const AS_NOBODY = 'exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --no-new-privs env HOME=/nonexistent';

/** Runs a shell line as the account "nobody", who sees this clone read-only. */
async function asNobody(line: string): Promise<{ stdout: string; stderr: string }> {
  const script = path.join(folder, 'script');
  writeFileSync(script, `${MOUNTS}${AS_NOBODY} PATH=${path.dirname(process.execPath)}:$PATH CXR_HOME=${folder}/home ${line}\n`);
  // A command that reports a problem by its exit code has its say as well.
  return execute('unshare', ['--mount', '--propagation', 'private', 'bash', script], { maxBuffer: 1024 ** 3 }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
}

function whyNot(): string | null {
  if (process.getuid?.() !== 0) return 'root: only root may become another account';
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'pipe' });
  } catch {
    return 'unshare: no mount namespaces here';
  }
  return null;
}

describe('an installed copy, read-only and of another account', () => {
  beforeAll(() => {
    chmodSync(folder, 0o755);
    mkdirSync(path.join(folder, 'home'));
    chmodSync(path.join(folder, 'home'), 0o777);
    // Part of the set-up.
    execFileSync(process.execPath, [path.join(CLONE, 'prisma/src/embedded/binaries.ts')]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is what the test says it is', async (ctx) => {
    const why = whyNot();
    if (why) return ctx.skip(why);
    expect((await asNobody(`bash -c 'id -u; touch ${CLONE}/written'`)).stderr).toContain('Read-only file system');
    expect(existsSync(path.join(CLONE, 'written'))).toBe(false);
  });

  it('is well, by doctor: engine, database of its own, storage', async (ctx) => {
    const why = whyNot();
    if (why) return ctx.skip(why);
    const { stdout, stderr } = await asNobody(`node ${BIN} doctor --json`);
    const { findings } = JSON.parse(stdout || '{"findings":[]}') as { findings: { part: string; ok: boolean; says: string }[] };
    expect(
      findings.map(({ part, ok, says }) => (ok ? part : `${part}: ${says}`)),
      stderr,
    ).toEqual(['machine', 'engine', 'database', 'storage']);
  });

  it('serves: the API, and the pages where they are built', async (ctx) => {
    const why = whyNot();
    if (why) return ctx.skip(why);
    const built = existsSync(path.join(PAGES, '.next/cxr-lens-built'));
    const [port, pagesPort] = [await freePort(), await freePort()];
    const pages = built
      ? `PORT=${pagesPort} NODE_ENV=production node ${PAGES}/server.mjs >&2 & export DASHBOARD_URL=http://127.0.0.1:${pagesPort};`
      : '';
    const asked = ['healthz', 'graphql?query=%7Bviewer%7Bname%7D%7D', ...(built ? ['', 'runs', 'studies/x', 'none'] : [])];
    const script = path.join(folder, 'serve');
    writeFileSync(
      script,
      `${pages} LOG_LEVEL=warn node ${BIN} serve --port ${port} & SERVE=$!
       for i in $(seq 300); do curl -sf http://127.0.0.1:${port}/healthz >/dev/null && break; sleep 0.1; done
       for at in ${asked.map((at) => `'${at}'`).join(' ')}; do
         for i in $(seq 100); do code=$(curl -s -o /dev/null -w '%{http_code}' -H 'apollo-require-preflight: 1' "http://127.0.0.1:${port}/$at"); [ $code != 503 ] && break; sleep 0.1; done
         echo "/$at $code"
       done
       kill -TERM $SERVE; wait $SERVE; kill %1 2>/dev/null; true\n`,
    );
    const { stdout, stderr } = await asNobody(`bash ${script}`);
    expect(stdout.trim().split('\n'), stderr).toEqual(asked.map((at) => `/${at} ${at === 'none' ? 404 : 200}`));
    expect(stderr).not.toMatch(/EROFS|EACCES|read-only/i);
    expect(readFileSync(path.join(folder, 'home/postgres/cluster/postgres.log'), 'utf8')).toContain('ready to accept connections');
  });
});
