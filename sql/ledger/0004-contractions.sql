-- One row for each applied contraction. Like a migration's, it is the first write of the contraction's own transaction.
create table pgrst_ledger.contractions (
  exposed_schema text not null references pgrst_ledger.claims on delete cascade,
  name text not null,
  position integer not null,
  checksum text not null,
  applied_by text not null,
  applied_at timestamptz not null default clock_timestamp(),
  duration_ms integer not null default 0,
  -- Ids of the releases that it ended: nothing may be rolled back to them.
  ended_releases text[] not null,
  primary key (exposed_schema, name),
  unique (exposed_schema, position)
);
