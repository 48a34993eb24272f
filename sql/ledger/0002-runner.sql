-- Progress of a migration with statements that PostgreSQL refuses in a transaction: such a one is committed piece by
-- piece, and its row is there before its first statement. All other rows appear when they are complete.
alter table pgrst_ledger.migrations
  add state text not null default 'applied' check (state in ('running', 'applied')),
  -- The first so many statements are done.
  add statements_done integer not null default 0,
  -- The statement, counted from 1, that was begun alone and may be done, half done, or not.
  add statement_begun integer,
  -- Of the texts of the statements that are done, as the operator takes it: the rest of the migration may still change.
  add done_checksum text not null default '',
  -- The backend that runs it: as long as that lives, nobody else goes on with it.
  add backend_pid integer;

-- Migrations run in order, so one at a time is unfinished.
create unique index on pgrst_ledger.migrations (exposed_schema) where state = 'running';
