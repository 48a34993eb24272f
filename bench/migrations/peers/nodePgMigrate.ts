import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installFromNpm } from './install.ts';
import type { Peer } from './peer.ts';

const version = '9.0.0';
const packages = [`node-pg-migrate@${version}`, 'pg@8.23.1'];

/** node-pg-migrate, by npm, with migrations in SQL. */
export const nodePgMigrate: Peer = {
  name: 'node-pg-migrate',
  version,
  bookkeeping: ['pgmigrations'],
  install: async (log) => await installFromNpm('node-pg-migrate', packages, log),
  write(folder, migrations) {
    mkdirSync(join(folder, 'migrations'));
    for (const [n, { name, sql }] of migrations.entries())
      writeFileSync(
        join(folder, 'migrations', `${String(1_700_000_000_000 + n)}_${name}.sql`),
        `-- Up Migration\n${sql};\n-- Down Migration\n`,
      );
  },
  program: (home, folder, { uri }) => ({
    command: process.execPath,
    args: [
      join(home, 'node_modules', 'node-pg-migrate', 'bin', 'node-pg-migrate.js'),
      'up',
      '--migrations-dir',
      join(folder, 'migrations'),
    ],
    env: { DATABASE_URL: uri },
    input: '',
  }),
};
