import { createHmac } from 'node:crypto';
import type { KubeObject } from '../../runtime/object.ts';

/** A user of the console: PgBouncer holds only the SCRAM verifier of the password. */
export interface ConsoleUser {
  readonly password: string;
  readonly verifier: string;
}

/**
 * What the operator has made for one pooler, once: it is kept in the pooler's Secret and read back. The credentials of
 * the database are not in it; they are the user's own.
 */
export interface PoolerCredentials {
  /** Key of the hashes that are shown: without it nobody can try out what a Secret may hold. */
  readonly seed: string;
  /** The password of PostgREST. */
  readonly client: string;
  readonly admin: ConsoleUser;
  readonly stats: ConsoleUser;
}

/** The users of PgBouncer that the operator makes. */
export const poolerUsers = { client: 'pgrst_client', admin: 'pgrst_admin', stats: 'pgrst_stats' } as const;

/** The key of the Secret in which they are kept. */
export const credentialsKey = 'credentials.json';

/** The credentials that a pooler's Secret holds; undefined when it has none yet. */
export function readPoolerCredentials(secret: KubeObject | undefined): PoolerCredentials | undefined {
  const encoded = (secret?.['data'] as Record<string, string> | undefined)?.[credentialsKey];
  if (encoded === undefined) return undefined;
  return JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as PoolerCredentials;
}

/** 12 hex digits that change with the text, and tell nothing of it to anybody without the Secret. */
export function shown(credentials: PoolerCredentials, text: string): string {
  return createHmac('sha256', credentials.seed).update(text).digest('hex').slice(0, 12);
}
