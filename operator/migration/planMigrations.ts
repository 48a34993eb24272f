import { checksumOf, type SummedSql } from './checksum.ts';

/** One migration as the spec has it, with its SQL in hand. */
export interface Migration extends SummedSql {
  readonly name: string;
}

/** One migration as the ledger has it. */
export interface AppliedMigration {
  readonly name: string;
  /** `sqlChecksum` of what was applied. */
  readonly checksum: string;
}

/** The migration that was begun after the applied ones, some of whose statements have run. */
export interface BegunMigration {
  readonly name: string;
  readonly statementsDone: number;
}

/** The lane that is planned; both follow the same rules. */
export type Lane = 'migrations' | 'contractions';

/** What is to be done about the migrations. */
export type MigrationPlan =
  /** Run these, in this order; nothing when it is empty. */
  | { readonly kind: 'run'; readonly pending: readonly Migration[] }
  /** The spec contradicts what was applied; a person must put it right. */
  | {
      readonly kind: 'blocked';
      readonly reason: 'MigrationChanged' | 'MigrationMissing' | 'MigrationOrderChanged';
      readonly migration: string;
      readonly message: string;
    };

/**
 * Compares the migrations of the spec with those of the ledger, both in order. The applied ones must be the first ones
 * of the spec, unchanged: migrations only go forward. One that was begun must be the next; whether what has run of it is
 * still there unchanged is for the runner to say, which has its statements.
 */
export function planMigrations(
  applied: readonly AppliedMigration[],
  wanted: readonly Migration[],
  begun?: BegunMigration,
  lane: Lane = 'migrations',
): MigrationPlan {
  const one = lane === 'migrations' ? 'Migration' : 'Contraction';
  const byName = new Map(wanted.map((migration) => [migration.name, migration]));
  for (const { name, checksum } of applied) {
    const migration = byName.get(name);
    if (migration === undefined)
      return {
        kind: 'blocked',
        reason: 'MigrationMissing',
        migration: name,
        message: `${one} ${name} has been applied to the database but is not in spec.${lane}: put it back, unchanged; to undo what it did, add a new migration.`,
      };
    if (checksumOf(migration) !== checksum)
      return {
        kind: 'blocked',
        reason: 'MigrationChanged',
        migration: name,
        message: `${one} ${name} was changed after it had been applied: put its SQL back as it was, and make the change in a new migration at the end of the list.`,
      };
  }
  for (const [index, { name }] of applied.entries()) {
    const there = wanted[index];
    if (there !== undefined && there.name !== name)
      return {
        kind: 'blocked',
        reason: 'MigrationOrderChanged',
        migration: there.name,
        message: orderMessage(there.name, name, applied, lane),
      };
  }
  const pending = wanted.slice(applied.length);
  return begunProblem(begun, pending) ?? { kind: 'run', pending };
}

function begunProblem(
  begun: BegunMigration | undefined,
  pending: readonly Migration[],
): MigrationPlan | undefined {
  if (begun === undefined || pending[0]?.name === begun.name) return undefined;
  const { name, statementsDone } = begun;
  const state = `Migration ${name} has been begun: ${String(statementsDone)} of its statements have run, outside of a transaction`;
  const next = pending[0];
  if (next === undefined || pending.every((each) => each.name !== name))
    return {
      kind: 'blocked',
      reason: 'MigrationMissing',
      migration: name,
      message: `${state}. It is not in spec.migrations any more: put it back; to give up the rest of it, keep only the statements that have run.`,
    };
  return {
    kind: 'blocked',
    reason: 'MigrationOrderChanged',
    migration: next.name,
    message: `${state}, and ${next.name} stands in spec.migrations before it: move ${next.name} behind it.`,
  };
}

function orderMessage(
  found: string,
  expected: string,
  applied: readonly AppliedMigration[],
  lane: Lane,
): string {
  const one = lane === 'migrations' ? 'Migration' : 'Contraction';
  const last = applied.at(-1)?.name ?? expected;
  return applied.some(({ name }) => name === found)
    ? `${one} ${found} stands in spec.${lane} where ${expected} was applied: put the applied ${lane} back into the order in which they ran.`
    : `${one} ${found} stands in spec.${lane} before ${expected}, which has been applied already: move ${found} behind ${last}, the newest applied one.`;
}
