-- Bodies of functions that are kept as text and hold one of the words $1 (in lower case): with the relations whose
-- triggers call them, and those of the names $2 that their own schema has as well. Those of PostgreSQL, of extensions and
-- of the ledger are left out.
select n.nspname::text as schema,
       p.oid::regprocedure::text as object,
       p.prosrc as text,
       array(select t.tgrelid::bigint from pg_trigger t where t.tgfoid = p.oid and not t.tgisinternal)::text[] as rows_of,
       array(select relname from pg_class where relnamespace = n.oid and relname = any ($2::name[])
             union select proname from pg_proc where pronamespace = n.oid and proname = any ($2::name[])
             union select typname from pg_type where typnamespace = n.oid and typname = any ($2::name[]))::text[] as own
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_language l on l.oid = p.prolang
 where p.prosqlbody is null
   and l.lanname not in ('internal', 'c')
   and n.nspname not in ('pg_catalog', 'information_schema', 'pgrst_ledger')
   and exists (select from unnest($1::text[]) as word where strpos(lower(p.prosrc), word) > 0)
   and not exists (select from pg_depend d
                    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
 order by 1, 2;
