import type { Log } from '../../../hack/lib/log.ts';
import type { Program } from '../../measure.ts';
import type { SmallMigration } from '../plan.ts';

/** A migration tool of somebody else, used as its documentation says and with its defaults. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** The tables in `public` in which it keeps what it has done. */
  readonly bookkeeping: readonly string[];
  /** Brings its programs here, once, by the client that people install it with; returns the folder they are in. */
  install(log: Log): Promise<string>;
  /** Writes the migrations as it wants to have them into an empty folder. */
  write(folder: string, migrations: readonly SmallMigration[]): void;
  /** The process that applies them: `installed` comes from `install`, `folder` from `write`. */
  program(installed: string, folder: string, database: PeerDatabase): Program;
}

/** The database of a run, in the pieces that the tools ask for. The password goes into an environment, never into `args`. */
export interface PeerDatabase {
  readonly uri: string;
  readonly uriWithoutPassword: string;
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly password: string;
  readonly name: string;
}

/** Takes the URI of a database apart. */
export function peerDatabase(uri: string): PeerDatabase {
  const bare = new URL(uri);
  bare.password = '';
  const { hostname: host, port, username: user, password, pathname } = new URL(uri);
  return { uri, uriWithoutPassword: bare.href, host, port, user, password, name: pathname.slice(1) };
}
