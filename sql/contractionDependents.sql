-- What in the schemas $1 would no longer be as it is when the targets $2 go or change: through views, rules, defaults,
-- triggers, types and BEGIN ATOMIC bodies, as the catalogs have it. $2 is a list of
-- {i, kind, change, oid, column}: `oid` in the catalog of its kind, `column` null for the whole of it.
-- `sure`: it cannot be without the target; else it may do as well with what the target becomes.
-- Reads catalogs only, and nothing that would lock a relation (as pg_get_viewdef does): nobody waits for it, and it
-- waits for nobody. Run it with search_path = pg_catalog, so that every name is printed with its schema.
with recursive
target as (
  select * from jsonb_to_recordset($2::jsonb) as t (i int, kind text, change text, oid oid, "column" text)
),
relation as (
  -- An index that is not unique is nobody's need; a unique one stands for its table.
  select t.i, coalesce(i.indrelid, c.oid) as oid, c.reltype, coalesce(a.attnum, 0) as attnum,
         case when i.indexrelid is null then t.change else 'changed' end as change
    from target t
    join pg_class c on c.oid = t.oid
    left join pg_index i on i.indexrelid = c.oid and i.indisunique
    left join pg_attribute a on a.attrelid = c.oid and a.attname = t."column" and not a.attisdropped
   where t.kind = 'relation' and (t."column" is null or a.attnum is not null)
     and (c.relkind not in ('i', 'I') or i.indexrelid is not null)
),
-- `attnum` 0: the whole of it.
start (i, classid, objid, attnum, sure) as (
  select i, 'pg_class'::regclass::oid, oid, case when change = 'tightened' then 0 else attnum end,
         change = 'dropped' or change = 'changed' and attnum <> 0
    from relation where change <> 'renamed'
  union
  -- A name that changes is followed by oid everywhere but in whole rows, which carry the names of their columns outwards.
  select i, 'pg_type'::regclass::oid, reltype, 0, false
    from relation where change = 'renamed' and attnum <> 0 and reltype <> 0
  union
  select r.i, 'pg_class'::regclass::oid, w.ev_class, 0, false
    from relation r
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = r.oid and d.classid = 'pg_rewrite'::regclass
    join pg_rewrite w on w.oid = d.objid and w.ev_action::text like '%:varattno 0 %'
   where r.change = 'renamed' and r.attnum <> 0
  union
  select t.i, case t.kind when 'routine' then 'pg_proc'::regclass when 'type' then 'pg_type'::regclass
                          when 'schema' then 'pg_namespace'::regclass else 'pg_extension'::regclass end::oid,
         t.oid, 0, t.change = 'dropped'
    from target t where t.kind <> 'relation' and t.change <> 'renamed'
),
reached (i, classid, objid, attnum, sure) as (
  select * from start
  union
  select r.i, o.classid, o.objid, o.attnum, r.sure and o.sure and (r.attnum = 0 or d.refobjsubid = r.attnum)
    from reached r
    join pg_depend d on d.refclassid = r.classid and d.refobjid = r.objid and d.deptype in ('n', 'a', 'i', 'e')
     and (r.attnum = 0
          or d.refobjsubid = r.attnum
          -- The row type of a column's table, and whole rows (t.*) of it in queries, which leave no trace of the column.
          or d.classid = 'pg_type'::regclass
          or d.classid = 'pg_rewrite'::regclass
             and exists (select from pg_rewrite w where w.oid = d.objid and w.ev_action::text like '%:varattno 0 %')
          or d.classid = 'pg_proc'::regclass
             and exists (select from pg_proc p where p.oid = d.objid and p.prosqlbody::text like '%:varattno 0 %'))
   cross join lateral (
     select d.classid, d.objid, d.objsubid, true
      where d.classid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass)
     union all
     select 'pg_class'::regclass::oid, ev_class, 0, true
       from pg_rewrite where d.classid = 'pg_rewrite'::regclass and oid = d.objid
     union all
     select 'pg_class'::regclass::oid, adrelid, adnum, true
       from pg_attrdef where d.classid = 'pg_attrdef'::regclass and oid = d.objid
     union all
     -- A table does otherwise without its trigger; a view without its INSTEAD OF trigger does nothing.
     select 'pg_class'::regclass::oid, t.tgrelid, 0, c.relkind = 'v'
       from pg_trigger t join pg_class c on c.oid = t.tgrelid
      where d.classid = 'pg_trigger'::regclass and t.oid = d.objid and not t.tgisinternal
     union all
     select 'pg_class'::regclass::oid, polrelid, 0, false
       from pg_policy where d.classid = 'pg_policy'::regclass and oid = d.objid
     union all
     select 'pg_type'::regclass::oid, contypid, 0, true
       from pg_constraint where d.classid = 'pg_constraint'::regclass and oid = d.objid and contypid <> 0
   ) as o (classid, objid, attnum, sure)
),
named (i, namespace, object, sure) as (
  select r.i, c.relnamespace,
         case c.relkind when 'v' then 'view ' when 'c' then 'type ' else 'relation ' end || c.oid::regclass, r.sure
    from reached r join pg_class c on r.classid = 'pg_class'::regclass and c.oid = r.objid
  union all
  select r.i, p.pronamespace, 'function ' || p.oid::regprocedure, r.sure
    from reached r join pg_proc p on r.classid = 'pg_proc'::regclass and p.oid = r.objid
  union all
  select r.i, t.typnamespace, 'type ' || t.oid::regtype, r.sure
    from reached r join pg_type t on r.classid = 'pg_type'::regclass and t.oid = r.objid
   where t.typrelid = 0 and t.typelem = 0
),
found as (
  select n.i, s.nspname::text as schema, n.object, bool_or(n.sure) as sure,
         row_number() over (partition by s.nspname, n.i, bool_or(n.sure) order by n.object) as number
    from named n join pg_namespace s on s.oid = n.namespace and s.nspname = any ($1)
   group by n.i, s.nspname, n.object
)
select i, schema, object, sure from found where number <= 5 order by schema, i, sure desc, object;
