import { createHash, randomBytes } from 'node:crypto';
import { copyRows } from './copyRows.ts';
import { RunFailure } from './runFailure.ts';
import type { Session } from './session.ts';
import { errorKind } from './sqlError.ts';

/** A value that SQL asks for by `pgrst_ledger.secret(name)`. */
export interface SecretValue {
  readonly name: string;
  readonly value: string;
}

/** How it went. */
export type SecretResult =
  /** The database has these values, and no others of this ApiSchema. Names that were written or deleted. */
  | { readonly kind: 'ensured'; readonly changed: readonly string[] }
  /** Another ApiSchema of the database has the name; nothing was written. */
  | { readonly kind: 'nameTaken'; readonly message: string };

/**
 * Gives the database these values, and takes those away that are not declared any more, in one transaction. Call it with
 * the schema claimed; where all is so already it only reads, else it takes the lock first. No value is in an error, nor in the
 * server's log however much that shows: what differs is found by a hash with a salt of the moment, and travels as COPY
 * data, which is neither statement nor parameter. Throws a RunFailure SecretInvalid for a value that the database
 * cannot hold, and what a broken connection threw.
 */
export async function ensureSecrets(
  session: Session,
  exposedSchema: string,
  values: readonly SecretValue[],
  takeLock: () => Promise<void>,
): Promise<SecretResult> {
  const before = await compareSecrets(session, exposedSchema, values);
  if (!('changed' in before)) return before;
  if (before.changed.length === 0) return { kind: 'ensured', changed: [] };
  // Whoever had the lock before us may have written them: look again.
  await takeLock();
  const now = await compareSecrets(session, exposedSchema, values);
  if (!('changed' in now)) return now;
  if (now.changed.length > 0) await write(session, exposedSchema, now.stale, now.changed);
  return { kind: 'ensured', changed: now.changed };
}

/** What differs from the database, or whose name it is already. */
async function compareSecrets(
  session: Session,
  exposedSchema: string,
  values: readonly SecretValue[],
): Promise<
  | { readonly stale: readonly SecretValue[]; readonly changed: readonly string[] }
  | Extract<SecretResult, { kind: 'nameTaken' }>
> {
  const salt = randomBytes(16);
  const rows = await session.query<{ name: string; exposed_schema: string; digest: Buffer }>(
    `select name, exposed_schema, sha256($2 || convert_to(value, 'UTF8')) as digest
       from pgrst_ledger.secrets where exposed_schema = $1 or name = any ($3)`,
    [exposedSchema, salt, values.map(({ name }) => name)],
  );
  const taken = rows.find((row) => row.exposed_schema !== exposedSchema);
  if (taken !== undefined)
    return {
      kind: 'nameTaken',
      message: `Secret ${taken.name} in spec.secrets is declared by the ApiSchema of schema ${taken.exposed_schema} of this database as well, and names are unique in a database: choose another.`,
    };
  const digests = new Map(rows.map(({ name, digest }) => [name, digest]));
  const stale = values.filter(({ name, value }) => {
    const digest = createHash('sha256').update(salt).update(value).digest();
    return digests.get(name)?.equals(digest) !== true;
  });
  const gone = [...digests.keys()].filter((name) => !values.some((value) => value.name === name));
  return { stale, changed: [...stale.map(({ name }) => name), ...gone] };
}

async function write(
  session: Session,
  exposedSchema: string,
  stale: readonly SecretValue[],
  changed: readonly string[],
): Promise<void> {
  const unusable = stale.find(({ value }) => value.includes('\0'));
  if (unusable !== undefined)
    throw new RunFailure(
      'SecretInvalid',
      `The value of ${unusable.name} in spec.secrets holds a NUL character, which PostgreSQL cannot store in text: encode it, in base64 for example.`,
    );
  await session.query('begin');
  try {
    await session.query('delete from pgrst_ledger.secrets where name = any ($1)', [changed]);
    await session.copyIn(
      'copy pgrst_ledger.secrets (name, exposed_schema, value) from stdin (format binary)',
      copyRows(stale.map(({ name, value }) => [name, exposedSchema, value])),
    );
    await session.query('commit');
  } catch (error) {
    if (errorKind(error) === 'connection') throw error;
    await session.query('rollback');
    if (errorKind(error) === 'contention') throw error;
    // Not the error: of a character that the database's encoding lacks, it shows the bytes.
    throw new RunFailure(
      'SecretInvalid',
      `The database could not store the values in spec.secrets of ${stale.map(({ name }) => name).join(', ')}: they must be text that its encoding has.`,
    );
  }
}
