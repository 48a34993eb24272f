/** One of the many small migrations that the contestants run. */
export interface SmallMigration {
  readonly name: string;
  /** One statement, without its semicolon. */
  readonly sql: string;
}

/** `count` migrations as people write them: a table, then columns and an index on it, ten to a table. */
export function smallMigrations(count: number): readonly SmallMigration[] {
  return Array.from({ length: count }, (_, n) => {
    const table = `public.t${Math.floor(n / 10)}`;
    const name = `${String(n).padStart(4, '0')}-small`;
    if (n % 10 === 0) return { name, sql: `create table ${table} (id bigint primary key, note text)` };
    if (n % 10 === 9) return { name, sql: `create index on ${table} (c${n - 1})` };
    return { name, sql: `alter table ${table} add column c${n} integer` };
  });
}
