import type { Session } from './session.ts';

/**
 * What decides how PostgreSQL prints definitions: constants of views and defaults follow these. JIT is off because it
 * takes seconds to compile a query over the catalogs that runs for tenths of one.
 */
const settings = {
  search_path: 'pg_catalog',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  lc_monetary: 'C',
  quote_all_identifiers: 'off',
  jit: 'off',
} as const;

/**
 * Runs the body while the session prints everything in one and the same way, whatever the server, the database or the
 * role are configured to; afterwards the session's settings are as they were.
 */
export async function withPrintSettings<T>(session: Session, body: () => Promise<T>): Promise<T> {
  const names = Object.keys(settings);
  const before = await session.query<{ value: string }>(
    'select current_setting(name) as value from unnest($1::text[]) with ordinality as s (name, number) order by number',
    [names],
  );
  const set = async (values: readonly string[]): Promise<void> => {
    await session.query(
      'select set_config(name, value, false) from unnest($1::text[], $2::text[]) as s (name, value)',
      [names, values],
    );
  };
  const restore = async (): Promise<void> => {
    await set(before.map(({ value }) => value));
  };
  await set(Object.values(settings));
  try {
    const result = await body();
    await restore();
    return result;
  } catch (error) {
    // Of no use in a transaction that has failed, where the rollback takes the settings back.
    await restore().catch(() => undefined);
    throw error;
  }
}
