-- A row stands while the operator's own SQL is changing what lies under the releases, from before its first statement
-- until the snapshots are renewed: a run that was interrupted in between does not take its own changes for drift.
create table pgrst_ledger.refreshes_due (
  exposed_schema text primary key references pgrst_ledger.claims on delete cascade,
  -- What differed before, by somebody else's hand, and stays drift: [release, kind, object, aspect] of each difference.
  standing jsonb not null
);

-- The major version of the server that printed a release's snapshot: another one may print the same release differently.
-- (Snapshots from before this step are this server's.)
alter table pgrst_ledger.releases add column snapshot_major integer;
update pgrst_ledger.releases set snapshot_major = current_setting('server_version_num')::integer / 10000;
