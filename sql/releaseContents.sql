-- How much is in each of the schemas $1: what a CASCADE takes out of one makes its number smaller.
select n.nspname::text as schema,
       (select count(*) from pg_class c where c.relnamespace = n.oid)
       + (select count(*) from pg_attribute a join pg_class c on c.oid = a.attrelid
           where c.relnamespace = n.oid and not a.attisdropped)
       + (select count(*) from pg_proc p where p.pronamespace = n.oid)
       + (select count(*) from pg_type t where t.typnamespace = n.oid)
       + (select count(*) from pg_constraint k where k.connamespace = n.oid)
       + (select count(*) from pg_rewrite r join pg_class c on c.oid = r.ev_class where c.relnamespace = n.oid)
       + (select count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = n.oid)
       + (select count(*) from pg_attrdef d join pg_class c on c.oid = d.adrelid where c.relnamespace = n.oid)
       as number
  from pg_namespace n
 where n.nspname = any ($1);
