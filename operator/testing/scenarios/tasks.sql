-- Tasks: the small team that wants PostgreSQL to be the whole backend.
-- [roles]
create role user_SUFFIX;
-- [migration]
create schema data;
create table data.tasks (
  id bigint generated always as identity primary key, title text not null check (title <> ''), description text not null default '',
  done boolean not null default false, owner text not null default current_user, created_at timestamptz not null default '2024-01-01',
  search tsvector generated always as (to_tsvector('english', title || ' ' || description)) stored
);
create index on data.tasks using gin (search);
create materialized view data.active as select id, title from data.tasks where not done;
create unique index on data.active (id);
create function data.notify_changes() returns trigger language plpgsql as $$
begin
  perform pg_notify('task_changes', json_build_object('op', tg_op, 'id', new.id)::text);
  return new;
end $$;
create trigger notify_changes after insert or update on data.tasks for each row execute function data.notify_changes();
alter table data.tasks enable row level security;
create policy own_tasks on data.tasks to user_SUFFIX using (owner = current_user) with check (owner = current_user);
grant usage on schema data to user_SUFFIX;
grant select, insert, update on data.tasks to user_SUFFIX;
grant select on data.active to user_SUFFIX;
insert into data.tasks (title, description, owner) values ('write', 'the api', 'user_SUFFIX'), ('hide', 'from others', 'somebody');
refresh materialized view data.active;
-- [api]
create view api.tasks with (security_invoker = true) as select id, title, description, done, created_at from data.tasks;
create view api.active_tasks as select * from data.active;
create function api.add_task(title text, description text default '') returns api.tasks language sql begin atomic
  insert into data.tasks (title, description) values (add_task.title, add_task.description)
  returning id, title, description, done, created_at;
end;
create function api.search_tasks(query text) returns setof api.tasks stable language sql
  as 'select t.* from api.tasks t join data.tasks d using (id) where d.search @@ plainto_tsquery(''english'', query)';
create procedure api.refresh_active() language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$ begin refresh materialized view data.active; end $$;
grant usage on schema api to user_SUFFIX;
grant select, insert (title, description), update (title, description, done) on api.tasks to user_SUFFIX;
grant select on api.active_tasks to user_SUFFIX;
revoke execute on all routines in schema api from public;
grant execute on function api.add_task, api.search_tasks to user_SUFFIX;
-- [tests]
select plan(6);
select has_view('api', 'tasks', 'api.tasks');
select hasnt_table('api', 'tasks', 'no table in the API');
select isnt_empty('select * from api.active_tasks');
set role user_SUFFIX;
select results_eq('select title from api.tasks', array['write']);
select lives_ok($$ select api.add_task('read') $$, 'adds');
select is((select count(*) from api.search_tasks('the api')), 1::bigint, 'finds what names api');
reset role;
select * from finish();
-- [probes]
select * from {schema}.tasks
select * from {schema}.active_tasks
select {schema}.add_task('read')
select {schema}.add_task(description => 'x', title => 'y')
select * from {schema}.search_tasks('api')
call {schema}.refresh_active()
