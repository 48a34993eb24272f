import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed } from './install.ts';
import type { Peer } from './peer.ts';

// The newest of 11.8: later archives are not offered to everybody's Maven.
const version = '11.8.2';
const unpack = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack';

/** Flyway, by Maven. Its shell script only starts Java with this class path; a shell would hide Java's memory. */
export const flyway: Peer = {
  name: 'flyway',
  version,
  bookkeeping: ['flyway_schema_history'],
  install: async (log) =>
    await installed('flyway', [version], log, async (folder, command) => {
      await command('java', ['-version']);
      const artifact = `org.flywaydb:flyway-commandline:${version}:tar.gz`;
      await command('mvn', ['-B', '-q', unpack, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`], {
        cwd: folder,
      });
    }),
  write(folder, migrations) {
    for (const [n, { name, sql }] of migrations.entries())
      writeFileSync(join(folder, `V${n + 1}__${name.replaceAll('-', '_')}.sql`), `${sql};\n`);
  },
  program(home, folder, { host, port, user, password, name }) {
    const base = join(home, `flyway-${version}`);
    const jars = ['lib', 'lib/aad', 'lib/flyway', 'lib/netty', 'drivers'].map((each) =>
      join(base, each, '*'),
    );
    return {
      command: 'java',
      args: [
        '-cp',
        jars.join(':'),
        'org.flywaydb.commandline.Main',
        '-skipCheckForUpdate',
        `-locations=filesystem:${folder}`,
        '-color=never',
        'migrate',
      ],
      env: {
        FLYWAY_URL: `jdbc:postgresql://${host}:${port}/${name}`,
        FLYWAY_USER: user,
        FLYWAY_PASSWORD: password,
      },
      input: '',
    };
  },
};
