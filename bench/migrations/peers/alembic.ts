import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed } from './install.ts';
import type { Peer } from './peer.ts';

const version = '1.20.1';
const packages = [
  `alembic==${version}`,
  'SQLAlchemy==2.1.9',
  'psycopg==3.3.9',
  'psycopg-binary==3.3.9',
  'Mako==1.4.3',
  'MarkupSafe==3.0.4',
  'typing_extensions==4.16.0',
];

// What `alembic init` writes, without logging and without its offline mode.
const environment = `from os import environ
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(environ["BENCH_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`;

/** Alembic, by pip into a virtual environment. */
export const alembic: Peer = {
  name: 'alembic',
  version,
  bookkeeping: ['alembic_version'],
  install: async (log) =>
    await installed('alembic', packages, log, async (folder, command) => {
      await command('python3', ['-m', 'venv', folder]);
      const python = join(folder, 'bin', 'python3');
      await command(python, ['-m', 'pip', 'install', '--disable-pip-version-check', ...packages]);
    }),
  write(folder, migrations) {
    mkdirSync(join(folder, 'versions'));
    writeFileSync(join(folder, 'env.py'), environment);
    for (const [n, { name, sql }] of migrations.entries())
      writeFileSync(
        join(folder, 'versions', `${name.replaceAll('-', '_')}.py`),
        [
          'from alembic import op',
          `revision = "r${n}"`,
          `down_revision = ${n === 0 ? 'None' : `"r${n - 1}"`}`,
          'def upgrade():',
          `    op.execute(${JSON.stringify(sql)})`,
          '',
        ].join('\n'),
      );
    writeFileSync(join(folder, 'alembic.ini'), `[alembic]\nscript_location = ${folder}\n`);
  },
  program: (home, folder, { uri }) => ({
    // Not bin/alembic: a moved environment's scripts name the folder in which they were made.
    command: join(home, 'bin', 'python3'),
    args: ['-m', 'alembic', '-c', join(folder, 'alembic.ini'), 'upgrade', 'head'],
    env: { BENCH_URL: uri.replace(/^postgres:/, 'postgresql:') },
    input: '',
  }),
};
