/** One of the many small migrations that the contestants run. */
export interface SmallMigration {
  readonly name: string;
  readonly sql: string;
}

/** `count` migrations as people write them: a table, then columns and indexes on it, ten to a table. */
export function smallMigrations(count: number): SmallMigration[] {
  return Array.from({ length: count }, (_, n) => {
    const table = `public.t${Math.floor(n / 10)}`;
    const name = `${String(n).padStart(4, '0')}-small`;
    if (n % 10 === 0) return { name, sql: `create table ${table} (id bigint primary key, note text);` };
    if (n % 10 === 9) return { name, sql: `create index on ${table} (c${n - 1});` };
    return { name, sql: `alter table ${table} add column c${n} integer;` };
  });
}

/** The API on top of them. */
export const apiSql = 'create view api.first as select id, note from public.t0;';
