-- What was published, fact by fact as sql/description.sql prints them: what a release is compared with to see whether
-- somebody else has changed it. Written when a release is published, and again where the operator's own migrations
-- changed what lies under it.
create table pgrst_ledger.snapshots (
  exposed_schema text not null,
  release text not null,
  kind text not null,
  within text not null,
  object text not null,
  aspect text not null,
  value text not null,
  foreign key (exposed_schema, release) references pgrst_ledger.releases on delete cascade
);
create index on pgrst_ledger.snapshots (exposed_schema, release);
