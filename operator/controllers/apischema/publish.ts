import type { Change } from '../../api/v1alpha1/apiSchemaStatus.ts';
import { buildRelease, type BuildResult } from '../../database/buildRelease.ts';
import { parkedName } from '../../database/candidate.ts';
import { describeChange } from '../../database/description.ts';
import { readLedger, type Ledger, type ReleaseRow } from '../../database/ledger.ts';
import type { StoredTextFinding } from '../../database/rewriteStoredText.ts';
import type { Session } from '../../database/session.ts';
import { transactionContext } from '../../database/withSession.ts';
import { diffApi } from '../../migration/apiDiff.ts';
import {
  apiChecksumOf,
  releaseHash,
  releaseId,
  releaseSchema,
  sentinelName,
} from '../../migration/checksum.ts';
import { judgeTap, type TapVerdict } from '../../migration/tapVerdict.ts';
import type { ApplyContext, ApplyRequest } from './applyRequest.ts';
import type { ApplyResult, Blocked } from './applyResult.ts';
import { apiBlocked, blocked, failureOf } from './blocked.ts';
import { servedRelease, summarise } from './ledgerSummary.ts';
import type { Review } from './reviewSql.ts';

/** Publishes the release of the request: builds it, or makes one that is there already the current one. Under the lock. */
export async function publish(
  session: Session,
  request: ApplyRequest,
  review: Review,
  context: ApplyContext,
): Promise<ApplyResult> {
  const hash = releaseHash(request);
  const id = releaseId(hash);
  const ledger = await readLedger(session, request);
  const there = servedRelease(ledger, id);
  if (there !== undefined) return await publishAgain(session, request, ledger, there);
  context.progress({ phase: 'building', release: id });
  const seen: Seen = {};
  const result = await build({ session, request, review, context, ledger, hash, id, seen });
  const findings = {
    changes: seen.changes ?? [],
    ...(seen.tests === undefined
      ? {}
      : { tests: { ...seen.tests, lines: seen.tests.lines.map((line) => line.slice(0, 512)) } }),
  };
  if (result.kind === 'blocked') return { ...result, ...findings };
  const unmapped = result.kind === 'published' ? result.findings : [];
  return { ...appliedWith(await readLedger(session, request), request, unmapped), ...findings };
}

/** Makes a release that is there the newest one, as far as that may be. */
async function publishAgain(
  session: Session,
  request: ApplyRequest,
  ledger: Ledger,
  release: ReleaseRow,
): Promise<ApplyResult> {
  if (release.id === ledger.current) return appliedWith(ledger, request, []);
  const { exposedSchema } = request;
  const current = currentSchema(ledger);
  const changes =
    current === undefined || release.schema === null
      ? []
      : await diffOf(session, exposedSchema, current, {
          schema: release.schema,
          except: sentinelName(release.id),
        });
  const objection = verdictOnChanges(changes, release.id, ledger, request);
  if (objection !== undefined)
    return { ...blocked(ledger, request, heldFor(objection, release.id, ledger)), changes };
  await session.query('update pgrst_ledger.claims set current_release = $2 where exposed_schema = $1', [
    exposedSchema,
    release.id,
  ]);
  return { ...appliedWith(await readLedger(session, request), request, []), changes };
}

function heldFor(message: string, id: string, ledger: Ledger) {
  return { reason: 'BreakingChange', message, release: approvalOf(id, ledger) } as const;
}

/** What a person approves: this release in the place of that one. */
function approvalOf(id: string, { current = 'none' }: Ledger): string {
  return `${id}@${current}`;
}

function appliedWith(
  ledger: Ledger,
  request: ApplyRequest,
  unmapped: readonly StoredTextFinding[],
): Extract<ApplyResult, { kind: 'applied' }> {
  return { kind: 'applied', summary: summarise(ledger, request), unmapped };
}

/** What was seen of a build while it was made. */
interface Seen {
  changes?: readonly Change[];
  tests?: TapVerdict;
}

interface BuildStep {
  readonly session: Session;
  readonly request: ApplyRequest;
  readonly review: Review;
  readonly context: ApplyContext;
  readonly ledger: Ledger;
  readonly hash: string;
  readonly id: string;
  readonly seen: Seen;
}

async function build(
  step: BuildStep,
): Promise<Extract<BuildResult, { kind: 'published' | 'same' }> | Blocked> {
  const { session, request, review, context, ledger, hash, id, seen } = step;
  const { analyst } = context;
  let result: BuildResult;
  try {
    result = await buildRelease(transactionContext(session, `release ${id}`, context), {
      strategy: request.strategy,
      exposedSchema: request.exposedSchema,
      id,
      hash,
      releaseSchema: releaseSchema(request.exposedSchema, id),
      sentinel: sentinelName(id),
      apiSql: request.apiSql,
      checksum: apiChecksumOf(request),
      statements: review.api,
      ...(review.tests === undefined
        ? {}
        : {
            tests: {
              statements: review.tests,
              judge: (output, error) => (seen.tests = judgeTap(output, error)),
            },
          }),
      current: currentRelease(ledger),
      builtBy: request.identity,
      judge: async () => {
        seen.changes = await changesOf(session, ledger, request.exposedSchema);
        return verdictOnChanges(seen.changes, id, ledger, request);
      },
      mapper: {
        mapSchemaNames: (texts, mapping) => analyst.call('mapSchemaNames', texts, mapping),
        searchPathNames: (values) => analyst.call('searchPathNames', values),
        mapTestNames: (texts, mapping, bare) => analyst.call('mapTestNames', texts, mapping, bare),
      },
    });
  } catch (error) {
    return apiBlocked(ledger, request, failureOf(error));
  }
  switch (result.kind) {
    case 'refused':
      return apiBlocked(ledger, request, { message: result.message }, 'ApiSqlRefused');
    case 'testsFailed': {
      const { message, passed, failed, lines } = result;
      seen.tests = { passed, failed, lines };
      return blocked(ledger, request, { reason: 'TestsFailed', message, error: { message } });
    }
    case 'held':
      return blocked(ledger, request, heldFor(result.message, id, ledger));
    case 'published':
    case 'same':
      return result;
  }
}

/** What the build changes for clients of the release that is served now. */
async function changesOf(
  session: Session,
  ledger: Ledger,
  exposedSchema: string,
): Promise<readonly Change[]> {
  const current = currentSchema(ledger);
  if (current === undefined) return [];
  // In place, the schema of the current release stands aside while the build has its name.
  const schema = current.schema === exposedSchema ? parkedName(exposedSchema) : current.schema;
  const build = { schema: exposedSchema, except: undefined };
  return await diffOf(session, exposedSchema, { ...current, schema }, build);
}

interface Described {
  readonly schema: string;
  /** Its sentinel. */
  readonly except: string | undefined;
}

function currentRelease(ledger: Ledger): ReleaseRow | undefined {
  return ledger.releases.find((release) => release.id === ledger.current && release.present);
}

function currentSchema(ledger: Ledger): Described | undefined {
  const current = currentRelease(ledger);
  if (current === undefined || current.schema === null) return undefined;
  return { schema: current.schema, except: sentinelName(current.id) };
}

async function diffOf(
  session: Session,
  exposedSchema: string,
  from: Described,
  to: Described,
): Promise<readonly Change[]> {
  const { before, after } = await describeChange(
    session,
    { ...from, as: exposedSchema },
    { ...to, as: exposedSchema },
  );
  return diffApi(before, after);
}

function verdictOnChanges(
  changes: readonly Change[],
  id: string,
  ledger: Ledger,
  { breaking, approved }: ApplyRequest,
): string | undefined {
  const broken = changes.filter((change) => change.breaking);
  if (breaking === 'Allow' || broken.length === 0 || approved.includes(approvalOf(id, ledger)))
    return undefined;
  const shown = broken.slice(0, 5).map(({ detail }) => detail);
  const rest = broken.length - shown.length;
  return `Release ${id} breaks clients, and spec.breaking asks for approval: ${shown.join(' ')}${rest > 0 ? ` And ${String(rest)} more changes, see status.changes.` : ''} To publish it all the same, set the annotation pgrst.dev/action=approve; otherwise correct the API SQL.`;
}
