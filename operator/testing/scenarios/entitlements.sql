-- Entitlements: business logic that has always been in functions; webhooks are another service's.
-- [roles]
create role service_SUFFIX;
-- [migration]
create schema mec;
create type mec.plan_kind as enum ('free', 'pro');
create table mec.plans (plan text primary key, kind mec.plan_kind not null, units int not null check (units >= 0));
create table mec.entitlements (
  account text not null, feature text not null, plan text not null references mec.plans, remaining int not null check (remaining >= 0),
  primary key (account, feature)
);
create table mec.leases (
  lease_id bigint generated always as identity primary key, account text not null, feature text not null,
  holder text not null, expires_at timestamptz not null,
  foreign key (account, feature) references mec.entitlements,
  unique (account, feature, holder)
);
insert into mec.plans values ('starter', 'free', 3), ('team', 'pro', 100);
insert into mec.entitlements values ('acme', 'export', 'starter', 3);
-- [api]
create view api.plans as select plan, kind::text as kind, units from mec.plans;
create type api.decision as (allowed boolean, reason text, remaining int);

create function api.fn_provision_plan_entitlements(p_account text, p_plan text, p_features text[]) returns int
  language sql security definer set search_path = api, pg_temp begin atomic
  with granted as (
    insert into mec.entitlements (account, feature, plan, remaining)
    select p_account, f, p.plan, p.units from unnest(p_features) f, mec.plans p where p.plan = p_plan
    on conflict (account, feature) do update set plan = excluded.plan, remaining = excluded.remaining
    returning 1
  )
  select count(*)::int from granted;
end;

create function api.fn_check_entitlement(p_account text, p_feature text) returns api.decision
  language sql stable security definer set search_path = api, pg_temp as $$
  select coalesce(
    (select row(remaining > 0, case when remaining > 0 then 'ok' else 'used up' end, remaining)::api.decision
       from mec.entitlements where account = p_account and feature = p_feature),
    row(false, 'not entitled', 0)::api.decision)
$$;

create function api.fn_meter_consumption(p_account text, p_feature text, p_units int default 1) returns api.decision
  language plpgsql security definer set search_path = api, pg_temp as $$
declare
  result decision;
begin
  if p_units <= 0 then
    raise sqlstate 'PT400' using message = 'p_units must be positive';
  end if;
  update mec.entitlements set remaining = remaining - p_units
   where account = p_account and feature = p_feature and remaining >= p_units
  returning true, 'ok', remaining into result;
  if not found then
    return fn_check_entitlement(p_account, p_feature);
  end if;
  return result;
end $$;

create function api.fn_acquire_lease(p_account text, p_feature text, p_holder text, p_ttl interval default '30 seconds')
  returns bigint language plpgsql security definer as $$
declare
  id bigint;
begin
  if not (api.fn_check_entitlement(p_account, p_feature)).allowed then
    raise sqlstate 'PT403' using message = 'Not entitled', hint = format('Account %s, feature %s', p_account, p_feature);
  end if;
  insert into mec.leases (account, feature, holder, expires_at) values (p_account, p_feature, p_holder, now() + p_ttl)
  on conflict (account, feature, holder) do update set expires_at = excluded.expires_at
  returning lease_id into id;
  return id;
end $$;

grant usage on schema api to service_SUFFIX;
alter default privileges in schema api revoke execute on functions from public;
revoke execute on all functions in schema api from public;
grant execute on all functions in schema api to service_SUFFIX;
grant select on api.plans to service_SUFFIX;
-- [tests]
select plan(8);
select functions_are('api', array['fn_provision_plan_entitlements', 'fn_check_entitlement', 'fn_meter_consumption', 'fn_acquire_lease']);
select has_type('api', 'decision', 'a composite of api');
select is((api.fn_check_entitlement('acme', 'export')).allowed, true);
select is((api.fn_check_entitlement('acme', 'nothing')).reason, 'not entitled');
select is((api.fn_meter_consumption('acme', 'export', 3)).remaining, 0);
select is((api.fn_meter_consumption('acme', 'export')).reason, 'used up');
select throws_ok($$ select api.fn_acquire_lease('acme', 'export', 'me') $$, 'PT403');
select is(api.fn_provision_plan_entitlements('new', 'team', '{a,b}'), 2);
select * from finish();
-- [probes]
select * from {schema}.plans
select {schema}.fn_check_entitlement('acme', 'export')
select {schema}.fn_meter_consumption('acme', 'export', 2)
select {schema}.fn_meter_consumption('acme', 'export', 0)
select {schema}.fn_acquire_lease('acme', 'export', 'me')
select {schema}.fn_acquire_lease('other', 'export', 'me')
select {schema}.fn_provision_plan_entitlements('new', 'team', '{a,b}')
