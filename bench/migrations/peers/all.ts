import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../../hack/lib/log.ts';
import type { Program } from '../../measure.ts';
import type { SmallMigration } from '../plan.ts';
import { alembic } from './alembic.ts';
import { dbmate } from './dbmate.ts';
import { flyway } from './flyway.ts';
import { golangMigrate } from './golangMigrate.ts';
import { nodePgMigrate } from './nodePgMigrate.ts';
import { peerDatabase } from './peer.ts';

const peers = [flyway, alembic, dbmate, golangMigrate, nodePgMigrate];

/** A peer that is installed, with the migrations in its own form. */
export interface ReadyPeer {
  readonly name: string;
  readonly version: string;
  /** Tables of its own in `public`. */
  readonly bookkeeping: readonly string[];
  /** The process that applies all migrations to the database of the URI. */
  readonly program: (uri: string) => Program;
}

/** A peer that cannot take part on this machine, and why. */
export interface AbsentPeer {
  readonly name: string;
  readonly reason: string;
}

/** Installs the peers, and writes the migrations for each into a folder below `folder`. */
export async function preparePeers(
  folder: string,
  migrations: readonly SmallMigration[],
  log: Log,
): Promise<{ readonly ready: readonly ReadyPeer[]; readonly absent: readonly AbsentPeer[] }> {
  const ready: ReadyPeer[] = [];
  const absent: AbsentPeer[] = [];
  for (const peer of peers) {
    const { name, version, bookkeeping } = peer;
    try {
      const home = await peer.install(log);
      const own = join(folder, name);
      mkdirSync(own);
      peer.write(own, migrations);
      ready.push({
        name,
        version,
        bookkeeping,
        program: (uri) => peer.program(home, own, peerDatabase(uri)),
      });
    } catch (error) {
      absent.push({ name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { ready, absent };
}
