import type { Entry } from './tar.ts';

/** A user of a container, with a group of the same name and number. */
export interface User {
  name: string;
  id: number;
  home?: string;
}

/** What a minimal root needs before a program can look up users, groups and names, and write to /tmp. */
export function baseEntries(users: readonly User[]): Entry[] {
  const all: readonly User[] = [{ name: 'root', id: 0, home: '/root' }, ...users];
  const passwd = all.map(
    ({ name, id, home = '/' }) => `${name}:x:${String(id)}:${String(id)}::${home}:/bin/sh`,
  );
  // nginx asks for the groups nogroup and www-data when it was compiled with them.
  const groups = [...all, { name: 'www-data', id: 33 }, { name: 'nogroup', id: 65534 }];
  return [
    { path: 'etc/', folder: true },
    { path: 'etc/passwd', content: `${passwd.join('\n')}\n` },
    {
      path: 'etc/group',
      content: `${groups.map(({ name, id }) => `${name}:x:${String(id)}:`).join('\n')}\n`,
    },
    { path: 'etc/nsswitch.conf', content: 'passwd: files\ngroup: files\nhosts: files dns\n' },
    { path: 'tmp/', folder: true, mode: 0o1777 },
    { path: 'run/', folder: true },
  ];
}

/** Folders that belong to a user. */
export function ownFolders(owner: number, paths: readonly string[], mode = 0o755): Entry[] {
  return paths.map((path) => ({ path: `${path}/`, folder: true, mode, uid: owner, gid: owner }));
}
