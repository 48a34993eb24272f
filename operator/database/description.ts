import type { ApiDescription, ApiFact } from '../migration/apiDescription.ts';
import { withPrintSettings } from './printSettings.ts';
import type { Session } from './session.ts';
import { sqlFile } from './sqlFiles.ts';

/** A schema to describe, and how. */
export interface DescribedSchema {
  readonly schema: string;
  /** The name to print instead of it: the exposed schema's, so that all builds of an API are described alike. */
  readonly as: string;
  /** Name of its sentinel, which is left out; undefined while there is none. */
  readonly except: string | undefined;
}

const query = sqlFile('description');
// The same once more in one statement, with parameters of its own.
const secondQuery = query.replaceAll(/\$([123])/g, (_, number: string) => `$${String(Number(number) + 3)}`);

/**
 * `sql/description.sql` as a query over the parameters $1 (the schema), $2 (the name to print) and $3 (the function to
 * leave out). Run it inside `withPrintSettings`.
 */
export const descriptionQuery = query;

/**
 * Everything that PostgREST reads of a schema; of one that is not there, nothing. About 30 rows for each view: for a
 * comparison of large schemas take `describeChange`, for equality `fingerprintOf`.
 */
export async function describeSchema(session: Session, described: DescribedSchema): Promise<ApiDescription> {
  return await withPrintSettings(session, async () => session.query<ApiFact>(query, parametersOf(described)));
}

/**
 * What `diffApi` needs of two schemas: all facts of every relation, type and function name that they do not have alike.
 * The database compares, so that of 5,000 views only those travel that differ. Where `before` is undefined everything
 * is new.
 */
export async function describeChange(
  session: Session,
  before: DescribedSchema | undefined,
  after: DescribedSchema,
): Promise<{ readonly before: ApiDescription; readonly after: ApiDescription }> {
  if (before === undefined) return { before: [], after: await describeSchema(session, after) };
  const rows = await withPrintSettings(session, async () =>
    session.query<ApiFact & { readonly side: 'before' | 'after' }>(
      `with before as materialized (${query}), after as materialized (${secondQuery}),
            changed as (select distinct within, case when within = '' then object end as object
                          from ((table before except table after) union all (table after except table before)) as d)
       select 'before' as side, b.* from before b join changed c
           on c.within = b.within and (c.object is null or c.object = b.object)
       union all
       select 'after', a.* from after a join changed c
           on c.within = a.within and (c.object is null or c.object = a.object)`,
      [...parametersOf(before), ...parametersOf(after)],
    ),
  );
  const of = (side: 'before' | 'after'): ApiDescription =>
    rows
      .filter((row) => row.side === side)
      .map(({ kind, within, object, aspect, value }) => ({ kind, within, object, aspect, value }));
  return { before: of('before'), after: of('after') };
}

/**
 * One hash over the description, computed by the database: two schemas have the same when PostgREST could not tell them
 * apart. `extra` (the checksum of the SQL) goes in where a schema holds what is not described.
 */
export async function fingerprintOf(
  session: Session,
  described: DescribedSchema,
  extra: string,
): Promise<string> {
  const [row] = await withPrintSettings(session, async () =>
    session.query<{ fingerprint: string }>(
      `select encode(sha256(convert_to(
                coalesce(string_agg(line, e'\\n' order by line collate "C"), '')
                || coalesce(max(case when kind = 'other' then $4::text end), ''), 'UTF8')), 'hex') as fingerprint
         from (select kind, format('%s %s %s %L', kind, object, aspect, value) as line from (${query}) as d) as lines`,
      [...parametersOf(described), extra],
    ),
  );
  if (row === undefined) throw new Error('the fingerprint query gave no row');
  return row.fingerprint;
}

function parametersOf({ schema, as, except }: DescribedSchema): readonly (string | null)[] {
  return [schema, as, except ?? null];
}
