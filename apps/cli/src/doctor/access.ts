import { chmodSync, existsSync, lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { cxrHome } from '@cxr-lens/data';
import { count, type Finding } from './finding.ts';

const OTHERS = 0o077;

/** Whether accounts other than ours can reach what lies below CXR_HOME: patients' images, the database, its password. */
export function checkAccess({ repair }: { repair: boolean }): Finding {
  const home = cxrHome();
  const open = existsSync(home) ? [...openBelow(home)] : [];
  if (repair) for (const { file, mode } of open) chmodSync(file, mode & ~OTHERS);
  const says =
    open.length === 0
      ? 'files and folders are open to this account alone'
      : `${count(open.length, 'file')} or folders are open to other accounts`;
  const remedy = repair ? 'closed to them' : `the first is ${open[0]?.file}; --repair closes them`;
  return { part: 'access', ok: open.length === 0 || repair, says, ...(open.length === 0 ? {} : { details: [remedy] }) };
}

function* openBelow(file: string): Generator<{ file: string; mode: number }> {
  const found = lstatSync(file, { throwIfNoEntry: false });
  // What another account owns is not ours to close: root's embedded database lies elsewhere.
  if (!found || found.isSymbolicLink() || found.uid !== process.getuid?.()) return;
  if (found.mode & OTHERS) yield { file, mode: found.mode & 0o777 };
  if (found.isDirectory()) for (const name of readdirSync(file)) yield* openBelow(path.join(file, name));
}
