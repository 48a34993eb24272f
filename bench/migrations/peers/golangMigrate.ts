import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refused } from '../../../hack/lib/refused.ts';
import { findGo } from '../../../hack/toolchain/index.ts';
import { installed } from './install.ts';
import type { Peer } from './peer.ts';

const version = 'v4.20.1';

/** golang-migrate, by `go install`. Its own go.mod pins everything below it. */
export const golangMigrate: Peer = {
  name: 'golang-migrate',
  version,
  bookkeeping: ['schema_migrations'],
  install: async (log) => {
    const go = await findGo();
    if (go === undefined) throw new Refused('Go is needed to build it');
    return await installed('golang-migrate', [version], log, async (folder, command) => {
      await command(
        go,
        [
          'install',
          '-trimpath',
          '-tags',
          'postgres',
          `github.com/golang-migrate/migrate/v4/cmd/migrate@${version}`,
        ],
        { cwd: folder, env: { GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' } },
      );
    });
  },
  write(folder, migrations) {
    mkdirSync(join(folder, 'migrations'));
    for (const [n, { name, sql }] of migrations.entries())
      writeFileSync(
        join(folder, 'migrations', `${String(n + 1).padStart(6, '0')}_${name}.up.sql`),
        `${sql};\n`,
      );
  },
  program: (home, folder, { uriWithoutPassword, password }) => ({
    command: join(home, 'migrate'),
    args: ['-path', join(folder, 'migrations'), '-database', uriWithoutPassword, 'up'],
    env: { PGPASSWORD: password },
    input: '',
  }),
};
