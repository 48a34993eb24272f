-- Roles that an ApiSchema declares, and values that its SQL needs.

-- One row for each declared role: who declared it first, and what was written. Passwords of roles can be read by
-- superusers only, so the verifier (SCRAM, never the password) is what a changed password is noticed by.
create table pgrst_ledger.roles (
  name text primary key,
  exposed_schema text not null references pgrst_ledger.claims on delete cascade,
  -- Of pg_roles: a role that somebody dropped and made again is another one.
  role_oid oid not null,
  -- Null: its password is not ours.
  verifier text
);

create table pgrst_ledger.secrets (
  name text primary key,
  exposed_schema text not null references pgrst_ledger.claims on delete cascade,
  value text not null
);

-- SECURITY INVOKER and no grants: callable by the owner alone, and so by SECURITY DEFINER functions of the owner.
create function pgrst_ledger.secret(name text) returns text
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_value text;
begin
  select s.value into found_value from pgrst_ledger.secrets s where s.name = secret.name;
  if not found then
    raise exception using
      errcode = 'no_data_found',
      message = format('there is no secret %L', secret.name),
      hint = 'Declare it in spec.secrets of the ApiSchema.';
  end if;
  return found_value;
end;
$$;
comment on function pgrst_ledger.secret(text) is 'Value of a secret that an ApiSchema declares. Grant it to nobody: call it in SECURITY DEFINER functions.';

-- EXECUTE goes to PUBLIC by default, and default privileges of the owner may have given the rest to anybody.
do $$
declare
  grantee text;
begin
  for grantee in
    select distinct case acl.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end
      from (select nspacl as acl, nspowner as owner from pg_namespace where nspname = 'pgrst_ledger'
            union all
            select relacl, relowner from pg_class where relnamespace = 'pgrst_ledger'::regnamespace
            union all
            select proacl, proowner from pg_proc where pronamespace = 'pgrst_ledger'::regnamespace) object
     cross join aclexplode(coalesce(object.acl, acldefault('f', object.owner))) acl
     where acl.grantee <> object.owner
  loop
    execute format('revoke all on schema pgrst_ledger from %s', grantee);
    execute format('revoke all on all tables in schema pgrst_ledger from %s', grantee);
    execute format('revoke all on all functions in schema pgrst_ledger from %s', grantee);
  end loop;
end;
$$;
