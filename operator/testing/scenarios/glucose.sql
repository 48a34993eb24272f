-- Glucose readings: a FastAPI service replaced by PostgREST.
-- [roles]
create role anon_SUFFIX; create role authenticated_SUFFIX;
create role analyst_SUFFIX in role authenticated_SUFFIX; create role admin_SUFFIX in role authenticated_SUFFIX;
-- [migration]
create extension pgcrypto;
create schema auth;
create schema marts;
create table auth.users (
  user_id uuid primary key default gen_random_uuid(),
  username text not null unique,
  email text not null unique,
  password_hash text not null,
  role text not null default 'analyst' check (role in ('analyst', 'admin')),
  created_at timestamptz not null default '2024-01-01',
  updated_at timestamptz not null default '2024-01-01',
  is_active boolean not null default true
);
create index on auth.users (username) where is_active;
create table auth.keys (name text primary key, value text not null);
insert into auth.keys values ('jwt', 'a-secret-of-the-tests-that-is-long-enough');
create table marts.mrt_glucose_overview (
  reading_date date primary key, day_name text not null, week_of_year int, month int, year int,
  reading_count int not null, avg_glucose_mg_dl numeric(6,2), min_glucose_mg_dl numeric(6,2), max_glucose_mg_dl numeric(6,2),
  time_in_range_pct numeric(5,2), time_below_range_pct numeric(5,2), time_above_range_pct numeric(5,2), estimated_a1c_pct numeric(4,2)
);
create table marts.mrt_glucose_hourly_patterns (
  hour_of_day int, day_of_week int, day_name text, reading_count int, avg_glucose_mg_dl numeric(6,2),
  median_glucose_mg_dl numeric(6,2), time_in_range_pct numeric(5,2), primary key (hour_of_day, day_of_week)
);
alter table marts.mrt_glucose_overview enable row level security;
create policy read_all on marts.mrt_glucose_overview for select to analyst_SUFFIX, admin_SUFFIX using (true);
grant usage on schema marts to authenticated_SUFFIX;
grant select on all tables in schema marts to authenticated_SUFFIX;
insert into auth.users (user_id, username, email, password_hash, role, is_active) values
  ('00000000-0000-4000-8000-000000000001', 'ann', 'ann@example.org', '$2a$06$1pvlu9wXn2/QTcn1p6mfLuQkMlJZNiPOKkvXcGDxKTHgoPuOYTNT6', 'admin', true),
  ('00000000-0000-4000-8000-000000000002', 'bob', 'bob@example.org', '$2a$06$1pvlu9wXn2/QTcn1p6mfLuQkMlJZNiPOKkvXcGDxKTHgoPuOYTNT6', 'analyst', false);
update auth.users set password_hash = crypt('correct', '$2a$06$1pvlu9wXn2/QTcn1p6mfLu');
insert into marts.mrt_glucose_overview
  select d, to_char(d, 'FMDay'), 1, 1, 2024, 288, 120 + i, 70, 180 + i, 75.5, 4, 20.5, 6.1
    from generate_series(0, 9) i, lateral (select date '2024-01-01' + i) as g (d);
insert into marts.mrt_glucose_hourly_patterns values (7, 1, 'Monday', 12, 110, 108, 80);
create function public.health_check() returns json language sql stable return json_build_object('status', 'healthy');
-- [api]
create view api.glucose_readings with (security_invoker = true) as
  select reading_date, day_name, reading_count, avg_glucose_mg_dl, min_glucose_mg_dl, max_glucose_mg_dl
    from marts.mrt_glucose_overview;
create view api.glucose_daily_summary with (security_invoker = true) as
  select * from marts.mrt_glucose_overview order by reading_date desc;
create view api.glucose_hourly_patterns with (security_invoker = true) as
  select * from marts.mrt_glucose_hourly_patterns;

create function api.base64url(data bytea) returns text language sql immutable
  return translate(encode(data, 'base64'), E'+/=\n', '-_');
create function api.sign(payload json) returns text language plpgsql stable security definer
  set search_path = api, public, pg_temp as $$
declare
  body text := base64url(convert_to('{"alg":"HS256","typ":"JWT"}', 'UTF8')) || '.' || base64url(convert_to(payload::text, 'UTF8'));
begin
  return body || '.' || base64url(hmac(body::bytea, (select value from auth.keys where name = 'jwt')::bytea, 'sha256'));
end $$;

create function api.login(username text, password text) returns json language plpgsql stable security definer
  set search_path = api, public, pg_temp as $$
declare
  found auth.users;
begin
  select * into found from auth.users u
   where u.username = login.username and u.is_active and u.password_hash = crypt(login.password, u.password_hash);
  if found.user_id is null then
    raise sqlstate 'PT401' using message = 'Invalid credentials', hint = 'Check the user name and the password.';
  end if;
  return json_build_object(
    'access_token', api.sign(json_build_object(
      'user_id', found.user_id, 'username', found.username, 'email', found.email, 'role', found.role, 'aud', 'phlo-api',
      'exp', 1700003600,
      'https://hasura.io/jwt/claims', json_build_object('x-hasura-allowed-roles', array[found.role],
        'x-hasura-default-role', found.role, 'x-hasura-user-id', found.user_id))),
    'token_type', 'Bearer', 'expires_in', 3600,
    'user', json_build_object('user_id', found.user_id, 'username', found.username, 'email', found.email, 'role', found.role));
end $$;
comment on function api.login(text, text) is 'Exchanges user name and password for a token of 60 minutes.';

create function api.glucose_statistics(period_days int default 30) returns json language sql stable as $$
  select json_build_object('period_days', period_days, 'avg_glucose', round(avg(avg_glucose_mg_dl), 2),
    'min_glucose', min(min_glucose_mg_dl), 'max_glucose', max(max_glucose_mg_dl),
    'avg_time_in_range_pct', round(avg(time_in_range_pct), 2), 'avg_estimated_a1c_pct', round(avg(estimated_a1c_pct), 2),
    'readings_count', sum(reading_count))
  from api.glucose_daily_summary
  where reading_date > (select max(reading_date) from api.glucose_daily_summary) - period_days
$$;
create function api.user_info() returns json language sql stable begin atomic
  select json_build_object('user_id', c ->> 'user_id', 'username', c ->> 'username', 'role', c ->> 'role')
    from (select nullif(current_setting('request.jwt.claims', true), '')::json as c) as claims;
end;

grant usage on schema api to anon_SUFFIX, authenticated_SUFFIX;
revoke execute on all functions in schema api from public;
grant execute on function api.login(text, text) to anon_SUFFIX, authenticated_SUFFIX;
grant execute on function api.glucose_statistics(int), api.user_info() to authenticated_SUFFIX;
grant select on all tables in schema api to authenticated_SUFFIX;
-- [tests]
begin;
select plan(11);
select has_view('api', 'glucose_daily_summary', 'api.glucose_daily_summary is there');
select views_are('api', array['glucose_readings', 'glucose_daily_summary', 'glucose_hourly_patterns']);
select has_function('api', 'login', array['text', 'text']);
select function_privs_are('api', 'login', array['text', 'text'], 'anon_SUFFIX', array['EXECUTE']);
select function_privs_are('api', 'user_info', array[]::text[], 'anon_SUFFIX', array[]::text[]);
select table_privs_are('api', 'glucose_readings', 'anon_SUFFIX', array[]::text[]);
select throws_ok($$ select api.login('ann', 'wrong') $$, 'PT401', 'Invalid credentials');
select throws_ok($$ select api.login('bob', 'correct') $$, 'PT401', 'Invalid credentials');
select is(api.login('ann', 'correct') -> 'user' ->> 'role', 'admin');
set local role analyst_SUFFIX;
select is((api.glucose_statistics(2) ->> 'readings_count')::int, 576);
select results_eq('select count(*) from api.glucose_readings', array[10::bigint]);
reset role;
select * from finish();
rollback;
-- [probes]
select {schema}.login('ann', 'correct')
select {schema}.login('ann', 'wrong')
select {schema}.login('bob', 'correct')
select {schema}.glucose_statistics()
select {schema}.glucose_statistics(period_days => 3)
select {schema}.user_info()
select * from {schema}.glucose_readings
select * from {schema}.glucose_daily_summary
select * from {schema}.glucose_hourly_patterns
