import type { MigrationText } from '../../operator/analysis/readMigrations.ts';

/** A project as large as the operator promises to cope with. */
export interface Work {
  readonly migrations: readonly MigrationText[];
  /** 4 MiB in UTF-8, or less than a statement under it. */
  readonly apiSql: string;
  readonly views: number;
  /** String bodies of functions, as PostgreSQL gives them back. */
  readonly bodies: readonly string[];
}

const apiBytes = 4 * 1024 * 1024;
const count = 5000;

/** 5,000 migrations, 5,000 views in 4 MiB of API SQL, and 5,000 bodies. */
export function largeWork(): Work {
  return {
    migrations: Array.from({ length: count }, (_, n) => migration(n)),
    apiSql: Array.from({ length: count }, (_, n) => view(n)).join(''),
    views: count,
    bodies: Array.from({ length: count }, (_, n) => body(n)),
  };
}

function migration(n: number): MigrationText {
  const name = `${String(n).padStart(4, '0')}-step`;
  const sql = `-- Step ${n}: what it is for, in a line.
create table public.t${n} (id bigint primary key, note text not null default '', done boolean not null);
create index t${n}_note on public.t${n} (note);
grant select, insert on public.t${n} to web;
`;
  return { name, sql, idempotent: false };
}

// Each as long as it takes to make 4 MiB of them.
function view(n: number): string {
  const columns = Array.from({ length: 15 }, (_, c) => `coalesce(t.column_${c}, '') as "Spalte ${c}"`);
  const sql = `create view api.view_${n} with (security_invoker) as
select ${columns.join(', ')},
       case when t.done then 'done' else ';' end as state
  from public.t${n} t;
grant select on api.view_${n} to web;
-- `;
  return `${sql.padEnd(Math.floor(apiBytes / count) - 2, '.')}\n`;
}

function body(n: number): string {
  return `
declare row api.view_${n}%rowtype;
begin
  select * into row from api.view_${n} where state = 'api' limit 1;
  return row.state;
end`;
}
