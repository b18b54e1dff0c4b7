import { readFileSync } from 'node:fs';

export interface Account {
  uid: number;
  gid: number;
}

/** Postgres refuses to run as root, so root borrows an account that every Linux has; null for everybody else. */
export function borrowedAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const account = ['postgres', 'nobody'].map((name) => accounts.find((fields) => fields[0] === name)).find((found) => found !== undefined);
  if (!account) throw new Error('root can run Postgres only through a "postgres" or "nobody" account, and /etc/passwd has neither');
  return { uid: Number(account[2]), gid: Number(account[3]) };
}
