import type { ContractionTarget } from '../migration/contractionTargets.ts';
import type { Mention, SoughtTarget, StoredBody } from '../migration/findMentions.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import type { Session } from './session.ts';
import { sqlFile } from './sqlFiles.ts';

/** What is asked about a contraction. */
export interface SurveyRequest {
  readonly targets: readonly ContractionTarget[];
  /** The releases whose schemas are there. */
  readonly releases: readonly { readonly id: string; readonly schema: string }[];
  /** Id of the newest release; without it, the one that the ledger says. */
  readonly newest?: string;
}

/** How stored bodies are searched: `migration/findMentions.ts`, in the SQL thread. */
export type MentionFinder = (
  bodies: readonly StoredBody[],
  targets: readonly SoughtTarget[],
) => Promise<readonly (readonly Mention[])[]>;

/** A reason why something needs what a contraction takes away. */
export interface Need {
  /** What needs it: `view api_1a2b3c4d.tasks`. */
  readonly object: string;
  /** The catalogs say so, or its stored body seems to name it. */
  readonly how: 'depends' | 'mentions';
  /** What it needs: `column due of public.tasks`. */
  readonly what: string;
}

/** Who needs what a contraction takes away. */
export interface ContractionSurvey {
  /** Of the releases, in the order of the request; at most a few objects for each release and target. */
  readonly needs: readonly (Need & { readonly release: string })[];
  /**
   * Functions outside of the releases whose bodies name it, at most 20: they will fail when they are called, and
   * PostgreSQL does not say so before.
   */
  readonly outside: readonly Need[];
}

const dependentsQuery = sqlFile('contractionDependents');
const bodiesQuery = sqlFile('contractionBodies');

/**
 * Which releases need what a contraction takes away: by the catalogs, and by the stored bodies of their functions. Errs
 * on the side of needing, except for the newest release: that one was written by whoever wrote the contraction, and would
 * hold it up for ever; it needs what it cannot be without (a view over a dropped column), and not what may suit it as
 * well (a tighter constraint, another trigger, `select *`). Only reads catalogs: nobody waits for it.
 */
export async function surveyContraction(
  session: Session,
  request: SurveyRequest,
  findMentions: MentionFinder,
): Promise<ContractionSurvey> {
  const { targets, releases } = request;
  if (targets.length === 0) return { needs: [], outside: [] };
  const newest = request.newest ?? (await newestOf(session, releases));
  const { oids, path } = await resolve(session, targets);
  const dependents = await dependentsOf(session, request, oids);
  const mentions = await mentionsOf(session, targets, oids, path, findMentions);
  const all = [...dependents, ...few(mentions)];
  const needsOf = ({ id, schema }: SurveyRequest['releases'][number]): ContractionSurvey['needs'] =>
    all
      .filter((need) => need.schema === schema && (need.isSure || id !== newest))
      .map(({ object, how, what }) => ({ release: id, object, how, what }));
  const schemas = new Set(releases.map(({ schema }) => schema));
  return {
    needs: releases.flatMap(needsOf),
    outside: mentions
      .filter(({ schema }) => !schemas.has(schema))
      .slice(0, outsideShown)
      .map(({ object, how, what }) => ({ object, how, what })),
  };
}

/** The target in words, as messages have it. */
export function targetText({ kind, schema, name, column, arguments: types }: ContractionTarget): string {
  const full = schema === undefined ? name : `${schema}.${name}`;
  if (column !== undefined) return `column ${column} of ${full}`;
  const list = types?.map((type) => type.replaceAll('"', '').replace(/^pg_catalog\./, '')).join(', ');
  return `${kind} ${full}${list === undefined ? '' : `(${list})`}`;
}

/** A need in words: `view api_1a2b3c4d.tasks depends on column due of public.tasks`. */
export function needText({ object, how, what }: Need): string {
  return `${object} ${how === 'depends' ? 'depends on' : 'mentions'} ${what}`;
}

const outsideShown = 20;
const shown = 5; // as sql/contractionDependents.sql has it

/** The first few of each schema and target, sure ones apart from the others. */
function few(mentions: readonly Found[]): readonly Found[] {
  const counts = new Map<string, number>();
  return mentions.filter(({ schema, what, isSure }) => {
    const key = JSON.stringify([schema, what, isSure]);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count <= shown;
  });
}

interface Found extends Need {
  readonly schema: string;
  /** It cannot be without the target. */
  readonly isSure: boolean;
}

async function newestOf(session: Session, releases: SurveyRequest['releases']): Promise<string | undefined> {
  if (releases.length === 0) return undefined;
  const [row] = await session.query<{ id: string }>(
    'select current_release as id from pgrst_ledger.claims where current_release = any ($1)',
    [releases.map(({ id }) => id)],
  );
  return row?.id;
}

/**
 * The catalog oids of the targets, null for what is not there, and the schemas of the search_path: as the contraction's
 * own SQL would find them, so with its search_path. Everything in the query is therefore written in full.
 */
async function resolve(
  session: Session,
  targets: readonly ContractionTarget[],
): Promise<{ readonly oids: readonly (string | null)[]; readonly path: readonly string[] }> {
  await session.userSettings();
  try {
    const lookups = targets.map(
      (target, index) => `(${lookup(target, index + 1)})::pg_catalog.text as o${String(index)}`,
    );
    const [row] = await session.query<{ path: readonly string[] } & Record<string, unknown>>(
      `select pg_catalog.current_schemas(false)::pg_catalog.text[] as path, ${lookups.join(', ')}`,
      targets.map(lookupName),
    );
    return {
      path: row?.path ?? [],
      oids: targets.map((_, index) => {
        const oid = row?.[`o${String(index)}`];
        return typeof oid === 'string' ? oid : null;
      }),
    };
  } finally {
    await session.ownSettings();
  }
}

function lookup({ kind, arguments: types }: ContractionTarget, parameter: number): string {
  const name = `$${String(parameter)}`;
  const routine = types === undefined ? 'regproc' : 'regprocedure';
  switch (kind) {
    case 'relation':
      return `pg_catalog.to_regclass(${name})::pg_catalog.oid`;
    case 'routine':
      return `pg_catalog.to_${routine}(${name})::pg_catalog.oid`;
    case 'type':
      return `pg_catalog.to_regtype(${name})::pg_catalog.oid`;
    case 'schema':
      return `pg_catalog.to_regnamespace(${name})::pg_catalog.oid`;
    case 'extension':
      return `select e.oid from pg_catalog.pg_extension e where e.extname operator(pg_catalog.=) ${name}`;
  }
}

function lookupName({ kind, schema, name, arguments: types }: ContractionTarget): string {
  if (kind === 'extension') return name;
  const full = [...(schema === undefined ? [] : [schema]), name].map(quoteIdentifier).join('.');
  return types === undefined ? full : `${full}(${types.join(', ')})`;
}

async function dependentsOf(
  session: Session,
  { targets, releases }: SurveyRequest,
  oids: readonly (string | null)[],
): Promise<readonly Found[]> {
  const known = targets.flatMap(({ kind, change, column = null }, i) => {
    const oid = oids[i] ?? null;
    return oid === null ? [] : [{ i, kind, change, oid, column }];
  });
  const rows = await session.query<{ i: number; schema: string; object: string; sure: boolean }>(
    dependentsQuery,
    [releases.map(({ schema }) => schema), JSON.stringify(known)],
  );
  return rows.flatMap(({ i, schema, object, sure }) =>
    found(targets, i, { schema, object, how: 'depends', isSure: sure }),
  );
}

async function mentionsOf(
  session: Session,
  targets: readonly ContractionTarget[],
  oids: readonly (string | null)[],
  path: readonly string[],
  findMentions: MentionFinder,
): Promise<readonly Found[]> {
  const names = targets.flatMap(({ name, column }) => (column === undefined ? [name] : [name, column]));
  const bodies = await session.query<{
    schema: string;
    object: string;
    text: string;
    rows_of: readonly string[];
    own: readonly string[];
  }>(bodiesQuery, [
    names.map((name) => name.toLowerCase().replaceAll('"', '""')),
    targets.map(({ name }) => name),
  ]);
  if (bodies.length === 0) return [];
  const mentioned = await findMentions(
    bodies.map(({ text, rows_of, own }) => ({
      text,
      own,
      rowsOf: oids.flatMap((oid, index) => (oid !== null && rows_of.includes(oid) ? [index] : [])),
    })),
    targets.map((target) => ({ ...target, schemas: target.schema === undefined ? path : [target.schema] })),
  );
  return bodies.flatMap(({ schema, object }, index) =>
    (mentioned[index] ?? []).flatMap(({ target, isSure }) =>
      found(targets, target, { schema, object: `function ${object}`, how: 'mentions', isSure }),
    ),
  );
}

function found(
  targets: readonly ContractionTarget[],
  index: number,
  rest: Omit<Found, 'what'>,
): readonly Found[] {
  const target = targets[index];
  return target === undefined ? [] : [{ ...rest, what: targetText(target) }];
}
