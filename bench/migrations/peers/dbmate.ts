import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installFromNpm } from './install.ts';
import type { Peer } from './peer.ts';

const version = '2.36.0';

/** dbmate, by npm; its program itself, because the npm package's own command is a Node process around it. */
export const dbmate: Peer = {
  name: 'dbmate',
  version,
  bookkeeping: ['schema_migrations'],
  install: async (log) => await installFromNpm('dbmate', [`dbmate@${version}`], log),
  write(folder, migrations) {
    mkdirSync(join(folder, 'migrations'));
    for (const [n, { name, sql }] of migrations.entries())
      writeFileSync(
        join(folder, 'migrations', `${String(n + 1).padStart(14, '0')}_${name}.sql`),
        `-- migrate:up\n${sql};\n\n-- migrate:down\n`,
      );
  },
  program: (home, folder, { uri }) => ({
    command: join(home, 'node_modules', '@dbmate', `${process.platform}-${process.arch}`, 'bin', 'dbmate'),
    args: ['--no-dump-schema', '--migrations-dir', join(folder, 'migrations'), 'migrate'],
    env: { DATABASE_URL: uri },
    input: '',
  }),
};
