import type { RunnableStatement } from '../migration/runnable.ts';
import type { TapVerdict } from '../migration/tapVerdict.ts';
import { buildCandidate, renameSchema, schemaExists, type Candidate } from './candidate.ts';
import { fingerprintOf } from './description.ts';
import { publishInPlace } from './publishInPlace.ts';
import { recordPublished, recordSame, type BuildRecord } from './recordBuild.ts';
import { renamedTestFailure } from './renamedTests.ts';
import { rewriteStoredText, type NameMapper, type StoredTextFinding } from './rewriteStoredText.ts';
import { runTests, type BuildTests } from './runTests.ts';
import type { Session } from './session.ts';
import { inTransaction, type TransactionContext } from './transaction.ts';

/** What a release is built from. */
export interface Build extends BuildRecord {
  /** Versioned: each release in a schema of its own. InPlace: one schema, whose content is replaced. */
  readonly strategy: 'Versioned' | 'InPlace';
  /** The schema that will hold it (Versioned). */
  readonly releaseSchema: string;
  /** `sqlChecksum` of the API SQL. */
  readonly checksum: string;
  readonly statements: readonly RunnableStatement[];
  /** They decide whether it is published. */
  readonly tests?: BuildTests;
  /** The release that is served now, if its schema is there. */
  readonly current:
    { readonly id: string; readonly schema: string | null; readonly fingerprint: string } | undefined;
  /** Looks at the build before it is published, while it has the exposed name; a message keeps it from being. */
  readonly judge: () => Promise<string | undefined>;
  readonly mapper: NameMapper;
}

/** How a build ended. */
export type BuildResult =
  /** A new release is published. */
  | { readonly kind: 'published'; readonly findings: readonly StoredTextFinding[] }
  /** `judge` keeps it from being published; nothing is changed. */
  | { readonly kind: 'held'; readonly message: string }
  /** PostgREST would see no difference to the current release: nothing is published, the ledger remembers it. */
  | { readonly kind: 'same' }
  /** It does what API SQL must not do, or its place is taken; nothing is changed. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Nothing is changed. */
  | {
      readonly kind: 'testsFailed';
      readonly message: string;
      /** TAP of what failed, the newest first: at most 50 lines of at most 500 characters. */
      readonly lines: readonly string[];
      readonly passed: number;
      readonly failed: number;
    };

/**
 * Builds the API SQL as a new release, in one transaction: parks what has the exposed name, runs the SQL and the tests
 * verbatim in a fresh schema of that name, takes the fingerprint and publishes it: Versioned renames the build to the
 * release's own name and gives the parked schema its name back, InPlace drops the parked one. Readers see nothing of it
 * before the commit, and a failure leaves nothing behind. Throws a StatementError, a RunFailure, or what the connection
 * threw.
 */
export async function buildRelease(context: TransactionContext, build: Build): Promise<BuildResult> {
  const result = await inTransaction(context, async () => {
    const built = await buildInside(context.session, build);
    return { value: built, end: built.kind === 'published' ? 'commit' : 'rollback' };
  });
  if (result.kind !== 'same') return result;
  await inTransaction(context, async () => {
    await recordSame(context.session, build, result.as, result.fingerprint);
    return { value: undefined, end: 'commit' };
  });
  return { kind: 'same' };
}

type Built =
  | Exclude<BuildResult, { kind: 'same' }>
  | { readonly kind: 'same'; readonly as: string; readonly fingerprint: string };

async function buildInside(session: Session, build: Build): Promise<Built> {
  if (build.strategy === 'Versioned' && (await schemaExists(session, build.releaseSchema)))
    return {
      kind: 'refused',
      message: `A schema ${build.releaseSchema} is there already, and the ledger does not know it: rename or drop it, then the release can be built.`,
    };
  const candidate = await buildCandidate(session, build.exposedSchema, build.statements);
  if (candidate.refusal !== undefined) return { kind: 'refused', message: candidate.refusal };
  const failure = await testFailure(session, build);
  if (failure !== undefined) return failure;
  const fingerprint = await fingerprintOf(
    session,
    { schema: build.exposedSchema, as: build.exposedSchema, except: undefined },
    build.checksum,
  );
  const { current } = build;
  // A release of the other strategy is not where clients of this one look.
  const isComparable = (current?.schema === build.exposedSchema) === (build.strategy === 'InPlace');
  if (current !== undefined && isComparable && current.fingerprint === fingerprint)
    return { kind: 'same', as: current.id, fingerprint };
  const objection = await build.judge();
  if (objection !== undefined) return { kind: 'held', message: objection };
  return build.strategy === 'InPlace'
    ? await publishInPlace(session, build, candidate, fingerprint)
    : await publishVersioned(session, build, candidate, fingerprint);
}

async function publishVersioned(
  session: Session,
  build: Build,
  { parked }: Candidate,
  fingerprint: string,
): Promise<Built> {
  const { exposedSchema: from, releaseSchema: to } = build;
  await renameSchema(session, from, to);
  if (parked !== undefined) await renameSchema(session, parked, from);
  const findings = await rewriteStoredText(session, { from, to }, build.mapper);
  await session.ownSettings();
  const ambiguous = findings.find(({ kind }) => kind === 'ambiguous');
  if (ambiguous !== undefined) return { kind: 'refused', message: ambiguityMessage(ambiguous, build) };
  // What passes under the exposed name passes here, unless a name was kept where nothing maps it.
  const verdict = build.tests && (await renamedTestFailure(session, build.tests, { from, to }, build.mapper));
  if (verdict !== undefined)
    return {
      kind: 'testsFailed',
      message: `The tests pass in schema ${from} and fail in the release's own schema, ${to}: something names ${from} in a string, which is not mapped. (Strings that are just '${from}' were taken for the schema, and then for data.) Taken for the schema, ${testsMessage(verdict)}`,
      ...verdict,
    };
  await recordPublished(session, build, to, fingerprint);
  return { kind: 'published', findings };
}

async function testFailure(session: Session, { tests }: Build): Promise<Built | undefined> {
  if (tests === undefined) return undefined;
  const verdict = await runTests(session, tests);
  if (verdict.failed === 0) return undefined;
  return { kind: 'testsFailed', message: testsMessage(verdict), ...verdict };
}

function testsMessage({ passed, failed, lines }: TapVerdict): string {
  const first = lines.find((line) => !/^\s*#/.test(line))?.trim() ?? '';
  return `${String(failed)} of ${String(passed + failed)} tests failed, the last of them: ${first}`;
}

function ambiguityMessage(finding: StoredTextFinding, build: Build): string {
  const name = build.exposedSchema;
  return `In function ${finding.object.replaceAll(build.releaseSchema, name)}, line ${String(finding.line)} of its body, ${name} is the name of something else (an alias, a variable, a parameter or a column), while ${name}. is used for the schema as well: give the former another name.`;
}
