import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import type { ApplyRequest } from '../../controllers/apischema/applyRequest.ts';
import { applySchema } from '../../controllers/apischema/applySchema.ts';
import type { ApplyResult } from '../../controllers/apischema/applyResult.ts';
import { applyRequest, testPatience, tools } from '../applyFixture.ts';
import { startCutProxy, type Cut, type Passed } from './cutProxy.ts';
import { countedMigrations, faultApiSql, faultMigrations } from './migrations.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';

/** One interruption of a run. */
export interface Fault extends Cut {
  /** SIGKILL of a process of its own, or a lost connection of this one. */
  readonly kind: 'kill' | 'cut';
  /** The next run begins at once, beside what the server still does for the dead one. */
  readonly isHasty: boolean;
}

/** What a database looked like after some interrupted runs and one that was not. */
export interface CaseResult {
  /** Interruptions that took place: a run may have ended before its own. */
  readonly killPoints: number;
  /** Migrations of which nothing, or not all, is there. */
  readonly lost: readonly string[];
  /** Migrations that were applied more than once. */
  readonly doubled: readonly string[];
  /** What else differs from an undisturbed run. */
  readonly differences: readonly string[];
}

/** A database in which the same run is interrupted again and again. */
export interface FaultHarness {
  /** How many protocol messages an undisturbed run takes. */
  readonly messages: Passed;
  /** Interrupts the run at each fault in turn, lets it come to its end, compares, and empties the database. */
  runCase(faults: readonly Fault[]): Promise<CaseResult>;
}

const migrations = faultMigrations();
const counted = countedMigrations(migrations);

const childFile = fileURLToPath(new URL('../applyChild.ts', import.meta.url));

/**
 * Makes an undisturbed run in an empty database of its own, which everything else is compared with. `child` is the program
 * for the runs that are a process: applyChild.ts, or its bundle, which starts in a fraction of the time.
 */
export async function createFaultHarness(uri: string, child: string = childFile): Promise<FaultHarness> {
  const proxy = await startCutProxy(uri, undefined);
  await applyToTheEnd(proxy.uri);
  await proxy.close();
  const messages = proxy.passed();
  const undisturbed = await takeSnapshot(uri);
  await empty(uri);
  return {
    messages,
    runCase: async (faults) => {
      let killPoints = 0;
      for (const fault of faults) {
        if (await interrupt(uri, fault, child)) killPoints += 1;
        if (!fault.isHasty) await untilOperatorIsGone(uri);
      }
      const refusal = await applyToTheEnd(uri).catch((error: unknown) => String(error));
      const result = compare(undisturbed, await takeSnapshot(uri));
      await empty(uri);
      const differences = refusal === undefined ? result.differences : [refusal, ...result.differences];
      return { killPoints, ...result, differences };
    },
  };
}

/** Faults from a source of whole numbers from 0 up to, not including, `below`: one to three in a row. */
export function randomFaults(
  next: (below: number) => number,
  messages: Passed,
  killEvery: number,
): readonly Fault[] {
  return Array.from({ length: 1 + next(3) }, () => {
    // Most of what the server says is rows: what the client asks is where something can be lost.
    const among = next(4) === 0 ? 'both' : 'client';
    return {
      kind: next(killEvery) === 0 ? 'kill' : 'cut',
      among,
      message: 1 + next(messages[among]),
      isDelivered: next(2) === 0,
      isHasty: next(8) === 0,
    };
  });
}

/** Runs until the fault; false when the run was over before it. */
async function interrupt(uri: string, fault: Fault, program: string): Promise<boolean> {
  let hasHit = false;
  let child: ReturnType<typeof spawn> | undefined;
  const proxy = await startCutProxy(uri, fault, () => {
    hasHit = true;
    child?.kill('SIGKILL');
  });
  try {
    if (fault.kind === 'kill') {
      child = spawn(process.execPath, ['--liftoff-only', program], { stdio: ['pipe', 'ignore', 'ignore'] });
      const ended = once(child, 'exit');
      child.stdin?.on('error', () => undefined).end(JSON.stringify(request(proxy.uri)));
      await ended;
    } else await apply(proxy.uri).catch(ignoreLoss);
  } finally {
    await proxy.close();
  }
  return hasHit;
}

// Dangerous on purpose: all kinds of statement are wanted.
const ignore = ['ban-drop-table', 'renaming-column', 'changing-column-type'].map((rule) => ({
  rule,
  reason: 'a test',
}));

function request(uri: string): ApplyRequest {
  return applyRequest(uri, { migrations, apiSql: faultApiSql, lint: { ignore, failOn: 'Error' } });
}

/** One run in this process. Squawk, a process for each text, is left to the runs that are a process themselves. */
async function apply(uri: string): Promise<ApplyResult> {
  return await applySchema(request(uri), {
    analyst: tools.analyst,
    squawk: () => Promise.resolve([]),
    signal: new AbortController().signal,
    progress: () => undefined,
    patience: testPatience,
  });
}

/** As the operator does: what time may heal is tried again. Throws what is left of it, and a refusal. */
async function applyToTheEnd(uri: string): Promise<undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const result = await apply(uri);
      if (result.kind === 'applied') return undefined;
      throw new Error(`not applied: ${JSON.stringify(result)}`);
    } catch (error) {
      if (attempt === 20 || !isPassing(error)) throw error;
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && /^(DatabaseUnreachable|LockHeld): /.test(error.message);
}

function ignoreLoss(error: unknown): void {
  if (!isPassing(error)) throw error;
}

async function untilOperatorIsGone(uri: string): Promise<void> {
  await withClient(uri, async (client) => {
    for (;;) {
      const { rowCount } = await client.query(
        `select from pg_stat_activity
          where datname = current_database() and application_name like 'postgrest-operator%'`,
      );
      if (rowCount === 0) return;
    }
  });
}

function compare(expected: Snapshot, found: Snapshot): Omit<CaseResult, 'killPoints'> {
  const effects = found.data['app.effects'] ?? [];
  const rows = (name: string): number => effects.filter((row) => row.includes(`"${name}"`)).length;
  const inLedger = (snapshot: Snapshot, name: string): boolean =>
    (snapshot.ledger['pgrst_ledger.migrations'] ?? []).some((row) => row.includes(`"${name}"`));
  return {
    lost: migrations
      .map(({ name }) => name)
      .filter((name) => !inLedger(found, name) || (counted.includes(name) && rows(name) === 0)),
    doubled: counted.filter((name) => rows(name) > 1),
    differences: (['catalog', 'data', 'ledger'] as const)
      .filter((part) => !isDeepStrictEqual(expected[part], found[part]))
      .map((part) => firstDifference(part, expected, found)),
  };
}

function firstDifference(part: 'catalog' | 'data' | 'ledger', expected: Snapshot, found: Snapshot): string {
  const lines = (snapshot: Snapshot): readonly string[] =>
    part === 'catalog'
      ? snapshot.catalog
      : Object.entries(snapshot[part]).flatMap(([table, rows]) => rows.map((row) => `${table} ${row}`));
  const missing = lines(expected).filter((line) => !lines(found).includes(line));
  const added = lines(found).filter((line) => !lines(expected).includes(line));
  return `${part}: ${missing.length} missing (${missing[0] ?? 'none'}), ${added.length} added (${added[0] ?? 'none'})`;
}

/** An empty database again; creating another one takes longer. */
async function empty(uri: string): Promise<void> {
  await untilOperatorIsGone(uri);
  await withClient(uri, async (client) => {
    const { rows } = await client.query<{ drop: string }>(
      `select format('drop schema %I cascade', nspname) as drop from pg_namespace
        where nspname like 'api%' or nspname in ('app', 'pgrst_ledger')`,
    );
    for (const { drop } of rows) await client.query(drop);
  });
}

async function withClient(uri: string, body: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  try {
    await body(client);
  } finally {
    await client.end();
  }
}
