-- When a release's schema was dropped by the operator: collected because no kept revision used it, replaced (InPlace), or
-- ended by a contraction. Its row stays, so that a schema that went without us can be told from one that we dropped.
alter table pgrst_ledger.releases add column collected_at timestamptz;
