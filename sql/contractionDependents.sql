-- What in the schemas $1 would no longer be as it is when the targets $2 go or change: through views, rules, defaults,
-- triggers, types and BEGIN ATOMIC bodies, as the catalogs have it. $2 is a list of
-- {i, kind, change, oid, column}: `oid` in the catalog of its kind, `column` null for the whole of it.
-- Reads catalogs only. Run it with search_path = pg_catalog, so that every name is printed with its schema.
with recursive
target as (
  select * from jsonb_to_recordset($2::jsonb) as t (i int, kind text, change text, oid oid, "column" text)
),
relation as (
  select t.i, t.change, coalesce(i.indrelid, c.oid) as oid, c.reltype, a.attnum, t."column"
    from target t
    join pg_class c on c.oid = t.oid
    left join pg_index i on i.indexrelid = c.oid and i.indisunique
    left join pg_attribute a on a.attrelid = c.oid and a.attname = t."column" and not a.attisdropped
   where t.kind = 'relation' and (t."column" is null or a.attnum is not null)
     and (c.relkind not in ('i', 'I') or i.indexrelid is not null)
),
-- `attnum` 0: the whole of it.
start (i, classid, objid, attnum) as (
  -- A name that changes is followed by oid everywhere but in the columns of its rows, which carry their names outwards.
  select i, 'pg_class'::regclass::oid, oid, case when change = 'tightened' then 0 else coalesce(attnum, 0) end
    from relation where change <> 'renamed'
  union
  select i, 'pg_type'::regclass::oid, reltype, 0
    from relation where change <> 'revoked' and (change <> 'renamed' or attnum is not null) and reltype <> 0
  union
  -- A whole row (t.*) in a query leaves no trace of its columns.
  select r.i, 'pg_class'::regclass::oid, w.ev_class, 0
    from relation r
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = r.oid and d.classid = 'pg_rewrite'::regclass
    join pg_rewrite w on w.oid = d.objid
   where r.attnum is not null and (d.refobjsubid = 0 or pg_get_ruledef(w.oid) ~ '\.\*')
  union
  select t.i, case t.kind when 'routine' then 'pg_proc'::regclass when 'type' then 'pg_type'::regclass
                          when 'schema' then 'pg_namespace'::regclass else 'pg_extension'::regclass end::oid, t.oid, 0
    from target t where t.kind <> 'relation' and t.change <> 'renamed'
),
reached (i, classid, objid, attnum) as (
  select * from start where objid is not null
  union
  select r.i, o.classid, o.objid, o.attnum
    from reached r
    join pg_depend d on d.refclassid = r.classid and d.refobjid = r.objid
     and (r.attnum = 0 or d.refobjsubid = r.attnum) and d.deptype in ('n', 'a', 'i', 'e')
   cross join lateral (
     select d.classid, d.objid, d.objsubid where d.classid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass)
     union all
     select 'pg_class'::regclass::oid, ev_class, 0 from pg_rewrite where d.classid = 'pg_rewrite'::regclass and oid = d.objid
     union all
     select 'pg_class'::regclass::oid, adrelid, adnum from pg_attrdef where d.classid = 'pg_attrdef'::regclass and oid = d.objid
     union all
     select 'pg_class'::regclass::oid, tgrelid, 0 from pg_trigger
      where d.classid = 'pg_trigger'::regclass and oid = d.objid and not tgisinternal
     union all
     select 'pg_class'::regclass::oid, polrelid, 0 from pg_policy where d.classid = 'pg_policy'::regclass and oid = d.objid
     union all
     select 'pg_type'::regclass::oid, contypid, 0 from pg_constraint
      where d.classid = 'pg_constraint'::regclass and oid = d.objid and contypid <> 0
   ) as o (classid, objid, attnum)
),
named (i, namespace, object, writable) as (
  select r.i, c.relnamespace,
         case c.relkind when 'v' then 'view ' when 'c' then 'type ' else 'relation ' end || c.oid::regclass,
         pg_relation_is_updatable(c.oid, true) & 12 <> 0
    from reached r join pg_class c on r.classid = 'pg_class'::regclass and c.oid = r.objid
  union
  select r.i, p.pronamespace, 'function ' || p.oid::regprocedure, true
    from reached r join pg_proc p on r.classid = 'pg_proc'::regclass and p.oid = r.objid
  union
  select r.i, t.typnamespace, 'type ' || t.oid::regtype, true
    from reached r join pg_type t on r.classid = 'pg_type'::regclass and t.oid = r.objid
   where t.typrelid = 0 and t.typelem = 0
),
found as (
  select distinct t.i, s.nspname::text as schema, n.object,
         row_number() over (partition by s.nspname, t.i order by n.object) as number
    from named n
    join pg_namespace s on s.oid = n.namespace and s.nspname = any ($1)
    join target t on t.i = n.i
   where t.change <> 'tightened' or n.writable
)
select i, schema, object from found where number <= 5 order by schema, i, object;
