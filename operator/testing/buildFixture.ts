import { buildRelease, type BuildResult } from '../database/buildRelease.ts';
import { collectReleases, type CollectResult } from '../database/collectReleases.ts';
import { claim, readLedger, type Ledger } from '../database/ledger.ts';
import type { NameMapper } from '../database/rewriteStoredText.ts';
import {
  lockFor,
  transactionContext,
  withSession,
  type Visit,
  type VisitContext,
} from '../database/withSession.ts';
import { apiSqlProblem } from '../migration/apiSql.ts';
import { releaseHash, releaseId, releaseSchema, sentinelName, sqlChecksum } from '../migration/checksum.ts';
import { loadSqlParser } from '../migration/parser.ts';
import { mapSchemaNames, searchPathNames } from '../migration/schemaNames.ts';
import { isSplitProblem, splitSql, type SqlStatement } from '../migration/statements.ts';
import { testStatements } from '../migration/tap.ts';
import { judgeTap } from '../migration/tapVerdict.ts';
import { mapTestNames } from '../migration/testNames.ts';

/** What a test builds. */
export interface BuildInput {
  readonly apiSql: string;
  /** pgTAP. */
  readonly tests?: string;
  readonly strategy?: 'Versioned' | 'InPlace';
}

/** How it went, and the id of what was built. */
export type Built = BuildResult & { readonly id: string };

/** The mapper without its thread. Needs `loadSqlParser`. */
export const inlineMapper: NameMapper = {
  mapSchemaNames: (texts, mapping) => Promise.resolve(texts.map((text) => mapSchemaNames(text, mapping))),
  searchPathNames: (values) => Promise.resolve(values.map((value) => searchPathNames(value))),
  mapTestNames: (texts, mapping, bare) =>
    Promise.resolve(texts.map((text) => mapTestNames(text, mapping, bare))),
};

const claimant = { namespace: 'shop', name: 'todo', clusterId: 'cluster-1', exposedSchema: 'api' };
const context = (): VisitContext => ({
  signal: new AbortController().signal,
  progress: () => undefined,
  patience: { lockTimeoutMs: 200, retryDelaysMs: [10, 10, 10] },
});
const visit = (uri: string): Visit => ({ uri, identity: 'operator-1' });

/** Builds a release of schema `api` without a controller: reads, judges, claims, builds. */
export async function build(
  uri: string,
  { apiSql, tests, strategy = 'Versioned' }: BuildInput,
): Promise<Built> {
  await loadSqlParser();
  const hash = releaseHash({ exposedSchema: 'api', apiSql, migrations: [] });
  const id = releaseId(hash);
  const statements = split(apiSql);
  const problem = apiSqlProblem(statements, 'api');
  if (problem !== undefined) return { kind: 'refused', message: problem.message, id };
  const read = tests === undefined ? undefined : testStatements(tests);
  if (read?.kind === 'problem') throw new Error(read.failure.message);
  const result = await withSession(visit(uri), context(), async (session) => {
    await lockFor(session, context());
    const before = await readLedger(session, claimant);
    if (!before.claimed) await claim(session, claimant, before.version);
    const ledger = await readLedger(session, claimant);
    return await buildRelease(transactionContext(session, 'a build', context()), {
      exposedSchema: 'api',
      id,
      hash,
      strategy,
      releaseSchema: releaseSchema('api', id),
      sentinel: sentinelName(id),
      apiSql,
      checksum: sqlChecksum(apiSql),
      statements,
      current: ledger.releases.find((release) => release.id === ledger.current && release.present),
      builtBy: 'operator-1',
      mapper: inlineMapper,
      judge: () => Promise.resolve(undefined),
      ...(read === undefined ? {} : { tests: { statements: read.statements, judge: judgeTap } }),
    });
  });
  return { ...result, id };
}

/** The id of a release that must have been published. */
export function publishedId(built: Built): string {
  if (built.kind !== 'published') throw new Error(`not published: ${JSON.stringify(built)}`);
  return built.id;
}

/** Collects releases of schema `api`. */
export async function collect(uri: string, releases: readonly string[]): Promise<CollectResult> {
  return await collectReleases({ ...claimant, ...visit(uri), releases }, context());
}

/** The ledger, as the claimant of schema `api` reads it. */
export async function ledgerOf(uri: string): Promise<Ledger> {
  return await withSession(visit(uri), context(), (session) => readLedger(session, claimant));
}

function split(sql: string): readonly SqlStatement[] {
  const statements = splitSql(sql);
  if (isSplitProblem(statements)) throw new Error(statements.message);
  return statements;
}
