-- The ledger: what was done to this database, kept in the database itself, so that it commits, rolls back, is backed up
-- and is restored together with what it describes. Nobody but the owner role sees it (a new schema grants nothing).
create schema pgrst_ledger;
comment on schema pgrst_ledger is 'Ledger of the PostgREST operator: migrations and releases. Do not edit.';

-- One row. `version` is the one column that every version of the operator reads, so it never moves or changes its type.
create table pgrst_ledger.meta (
  singleton boolean primary key default true check (singleton),
  version integer not null,
  -- Of the server, as pg_control_system() has it: differs in a database that was dumped and restored elsewhere.
  system_identifier text not null,
  -- Of the managing Kubernetes cluster: the uid of its namespace kube-system.
  cluster_id text not null,
  created_at timestamptz not null default now()
);

-- Which ApiSchema stands behind which exposed schema: there is only ever one.
create table pgrst_ledger.claims (
  exposed_schema text primary key,
  namespace text not null,
  name text not null,
  -- The release that instances which follow this ApiSchema serve.
  current_release text,
  claimed_at timestamptz not null default now()
);

-- One row for each applied migration. It is the first write of the migration's own transaction: the primary key makes a
-- second runner wait for the outcome of the first and then fail, whatever became of its lock.
create table pgrst_ledger.migrations (
  exposed_schema text not null references pgrst_ledger.claims on delete cascade,
  name text not null,
  position integer not null,
  checksum text not null,
  applied_by text not null,
  applied_at timestamptz not null default clock_timestamp(),
  duration_ms integer not null default 0,
  primary key (exposed_schema, name),
  unique (exposed_schema, position)
);

-- One row for each API SQL that was built, whether it became a release or turned out to be the same as one.
create table pgrst_ledger.releases (
  exposed_schema text not null references pgrst_ledger.claims on delete cascade,
  id text not null,
  -- The whole hash of which the id is the beginning.
  hash text not null,
  -- The schema that holds it; null when it was the same as another release.
  schema_name text,
  same_as text,
  api_sql text not null,
  fingerprint text not null,
  built_by text not null,
  built_at timestamptz not null default clock_timestamp(),
  primary key (exposed_schema, id),
  foreign key (exposed_schema, same_as) references pgrst_ledger.releases,
  check ((schema_name is null) <> (same_as is null))
);
