/** One migration of the run that is interrupted. */
export interface FaultMigration {
  readonly name: string;
  readonly sql: string;
  /** Its statements may be run again, as its author has said. */
  readonly idempotent?: true;
}

/** Names of the migrations that leave one row each in `app.effects`, in the transaction that applies them. */
export function countedMigrations(migrations: readonly FaultMigration[]): readonly string[] {
  return migrations.filter(({ sql }) => sql.includes('insert into app.effects')).map(({ name }) => name);
}

const counted = (name: string): string => `;\ninsert into app.effects values ('${name}')`;

/**
 * 50 migrations with all kinds of statement: what PostgreSQL runs in a transaction, what it refuses there, and both in
 * one; `plain` are definitions and nothing else, which share a message. No sequences are drawn from: what a rollback
 * does not take back would differ from an undisturbed run.
 */
export function faultMigrations(): readonly FaultMigration[] {
  const texts: readonly (
    string | { readonly alone: string; readonly idempotent?: true } | { readonly plain: string }
  )[] = [
    `create schema app; create table app.effects (migration text not null)`,
    `create table app.people (id int primary key, name text not null, born date);
     create table app.mixed (id int, a int)`,
    `insert into app.people select n, 'person ' || n, date '2000-01-01' + n from generate_series(1, 200) n`,
    `alter table app.people add email text; update app.people set email = 'p' || id || '@example.com'`,
    `alter table app.people add constraint email_form check (email like '%@%') not valid`,
    `alter table app.people validate constraint email_form`,
    { alone: `create index concurrently people_name on app.people (name)` },
    `create type app.state as enum ('new', 'open', 'done')`,
    { alone: `alter type app.state add value 'again'` },
    `create table app.tasks (id int primary key, owner int references app.people, state app.state not null default 'new')`,
    `insert into app.tasks select n, 1 + n % 200, 'done' from generate_series(1, 300) n`,
    {
      alone: `alter type app.state add value 'late' before 'done';\nalter type app.state add value 'gone' after 'done'`,
    },
    { alone: `vacuum app.tasks` },
    `create function app.touch() returns trigger language plpgsql as $$ begin new.state := 'open'; return new; end $$;
     create trigger touch before insert on app.tasks for each row execute function app.touch()`,
    `insert into app.tasks (id, owner) values (1001, 1), (1002, 2)`,
    {
      alone: `create unique index concurrently people_email on app.people (email);\nvacuum (analyze) app.people`,
    },
    { alone: `reindex table concurrently app.people` },
    { alone: `drop index concurrently app.people_name` },
    `do $$ begin for n in 1..5 loop execute format('create table app.part_%s (id int, note text)', n); end loop; end $$`,
    `alter table app.part_1 add primary key (id); alter table app.part_2 add unique (note)`,
    `insert into app.part_1 values (1, 'one; two'), (2, $q$three ' four$q$)`,
    `create view app.open_tasks as select * from app.tasks where state = 'open'`,
    `alter table app.tasks enable row level security; create policy own on app.tasks using (owner = 1)`,
    `create table app.events (at date not null, what text) partition by range (at);
     create table app.events_1 partition of app.events for values from ('2020-01-01') to ('2021-01-01');
     create table app.events_2 partition of app.events for values from ('2021-01-01') to ('2022-01-01')`,
    `insert into app.events values ('2020-05-05', 'a'), ('2021-05-05', 'b')`,
    { alone: `alter table app.events detach partition app.events_1 concurrently` },
    `create materialized view app.per_state as select state, count(*) as n from app.tasks group by 1`,
    `refresh materialized view app.per_state`,
    {
      // Told apart in the middle: statements in a transaction before, between and behind those that run alone.
      alone: `insert into app.mixed values (1, 10), (2, 20);
              create index concurrently mixed_a on app.mixed (a);
              insert into app.mixed values (3, 30);
              drop index concurrently app.mixed_a;
              create table app.beside (id int); insert into app.beside values (1)`,
    },
    `create domain app.positive as int check (value > 0)`,
    `alter table app.mixed add c app.positive`,
    {
      alone: `do $$
              begin
                for n in 1..3 loop
                  update app.people set born = date '1990-01-01' + id where id % 3 = n - 1;
                  commit;
                end loop;
              end $$`,
      idempotent: true,
    },
    `delete from app.people where id = 200 and not exists (select from app.tasks where owner = 200)`,
    `create function app.count_people() returns bigint language sql stable begin atomic select count(*) from app.people; end`,
    { plain: `comment on table app.tasks is 'what is to be done; or not'` },
    { plain: `alter table app.people rename column name to full_name` },
    {
      plain: `alter table app.people alter full_name type varchar(100);\ncreate index people_born on app.people (born)`,
    },
    { plain: `grant select on app.people to pg_read_all_stats` },
    `create sequence app.numbers start 1000; alter table app.mixed alter id set default nextval('app.numbers')`,
    `set local search_path = app; create table of_the_path (id int); insert into of_the_path values (1)`,
    `create table app.deferred (id int primary key deferrable initially deferred);
     insert into app.deferred values (1), (2); update app.deferred set id = id + 1`,
    { alone: `create index concurrently if not exists tasks_owner on app.tasks (owner)` },
    { alone: `reindex index concurrently app.tasks_owner;\nanalyze app.tasks` },
    `drop table app.part_5; drop function app.count_people()`,
    `truncate app.part_1`,
    `lock table app.tasks in share mode; select count(*) from app.tasks`,
    { alone: `vacuum;\ndrop index concurrently if exists app.tasks_owner` },
    `select pg_sleep(0.02); alter table app.tasks add note text`,
    `create table app.last as select id, full_name from app.people`,
    `alter table app.last add primary key (id)`,
  ];
  return texts.map((text, n) => {
    const name = `${String(n + 1).padStart(3, '0')}-fault`;
    if (typeof text === 'string') return { name, sql: `${text}${counted(name)}` };
    if ('plain' in text) return { name, sql: text.plain };
    return { name, sql: text.alone, ...(text.idempotent === true ? { idempotent: true } : {}) };
  });
}

/** API SQL over what these migrations leave. */
export const faultApiSql = `
create view api.people with (security_invoker = true) as select id, full_name, email from app.people;
create view api.tasks with (security_invoker = true) as select id, owner, state from app.tasks;
create function api.open_tasks() returns bigint language plpgsql stable set search_path = api, pg_temp as $$
begin
  return (select count(*) from api.tasks where state = 'open');
end $$;
comment on view api.people is 'everybody';
`;
