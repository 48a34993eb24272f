import { secured, type RuleCases } from './lintCase.ts';

/** Rules about views and row security. */
export const viewCases = {
  'pgrst/view-bypasses-row-security': {
    bad: [
      {
        when: 'the table has row security',
        migration: secured,
        api: 'create view api.tasks as select * from app.tasks',
      },
      {
        when: 'the table got it long ago',
        applied: secured,
        api: 'create view api.tasks as select * from app.tasks',
      },
      {
        when: 'security_invoker is off',
        applied: secured,
        api: 'create view api.tasks with (security_invoker = false) as select * from app.tasks',
      },
      {
        when: 'it is taken back',
        applied: secured,
        api: 'create view api.tasks with (security_invoker) as select * from app.tasks; alter view api.tasks reset (security_invoker)',
      },
      {
        when: 'the table is in a subquery',
        applied: secured,
        api: 'create view api.n as select (select count(*) from app.tasks) as n',
      },
      {
        when: 'another view is between',
        applied: secured,
        api: 'create view api.a with (security_invoker) as select * from app.tasks; create view api.b as select * from api.a',
      },
      {
        when: 'the search_path leads to the table',
        applied: secured,
        api: 'set search_path to api, app; create view api.v as select * from tasks',
      },
    ],
    good: [
      {
        when: 'the view has security_invoker',
        applied: secured,
        api: 'create view api.tasks with (security_invoker = on) as select * from app.tasks',
      },
      {
        when: 'it gets it afterwards',
        applied: secured,
        api: 'create view api.tasks as select * from app.tasks; alter view api.tasks set (security_invoker = true)',
      },
      {
        when: 'the policies hold for the owner too',
        applied: `${secured} alter table app.tasks force row level security`,
        api: 'create view api.tasks as select * from app.tasks',
      },
      {
        when: 'the table was made anew without',
        applied: `${secured} drop table app.tasks; create table app.tasks (id int)`,
        api: 'create view api.tasks as select * from app.tasks',
      },
      {
        when: 'the table has no row security',
        applied: 'create table app.tasks (id int)',
        api: 'create view api.tasks as select * from app.tasks',
      },
      {
        when: 'the name is that of a WITH query',
        applied: 'create table public.tasks (id int); alter table tasks enable row level security',
        api: 'create view api.v as with tasks as (select 1) select * from tasks',
      },
      {
        when: 'the view is gone again',
        applied: secured,
        api: 'create view api.v as select * from app.tasks; drop view api.v',
      },
    ],
  },
  'pgrst/view-without-security-invoker': {
    bad: [{ when: 'nobody knows the table', api: 'create view api.v as select * from app.unknown' }],
    good: [
      {
        when: 'the table is known, without row security',
        applied: 'create table app.t (id int)',
        api: 'create view api.v as select * from app.t',
      },
      {
        when: 'the view has security_invoker',
        api: 'create view api.v with (security_invoker) as select * from app.unknown',
      },
      { when: 'the view reads no table', api: 'create view api.v as select 1' },
      {
        when: 'the view reads a catalog',
        api: 'create view api.v as select * from pg_stat_activity, pg_catalog.pg_class',
      },
    ],
  },
  'pgrst/replace-drops-security-invoker': {
    bad: [
      {
        when: 'the replacement has no WITH',
        api: 'create view api.v with (security_invoker) as select 1; create or replace view api.v as select 2',
      },
      {
        when: 'the replacement has another WITH',
        migration:
          'create view app.v with (security_invoker) as select 1; create or replace view app.v with (security_barrier) as select 2',
      },
    ],
    good: [
      {
        when: 'the replacement repeats it',
        api: 'create view api.v with (security_invoker) as select 1; create or replace view api.v with (security_invoker) as select 2',
      },
      {
        when: 'there was none',
        api: 'create view api.v as select 1; create or replace view api.v as select 2',
      },
      { when: 'it is the first of its name', api: 'create or replace view api.v as select 2' },
    ],
  },
  'pgrst/row-security-on-view': {
    bad: [
      {
        when: 'ALTER VIEW enables it',
        api: 'create view api.v as select 1; alter view api.v enable row level security',
      },
      {
        when: 'ALTER TABLE enables it on a view',
        migration: 'create view app.v as select 1; alter table app.v enable row level security',
      },
      {
        when: 'a policy is on a view',
        migration: 'create view app.v as select 1; create policy p on app.v using (true)',
      },
      {
        when: 'a policy is on a view of the API',
        api: 'create view api.v as select 1; create policy p on api.v using (true)',
      },
    ],
    good: [
      { when: 'it is on a table', migration: `${secured} create policy p on app.tasks using (true)` },
      {
        when: 'the view gets another option',
        api: 'create view api.v as select 1; alter view api.v set (security_barrier)',
      },
    ],
  },
} satisfies Readonly<Record<string, RuleCases>>;
