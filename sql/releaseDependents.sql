-- Objects outside of the schemas $1 that depend on what is in them: dropping the schemas would drop these as well.
with
inside as (select oid from pg_namespace where nspname = any ($1)),
member (classid, objid) as (
  select 'pg_class'::regclass::oid, oid from pg_class where relnamespace in (select oid from inside)
  union all
  select 'pg_proc'::regclass::oid, oid from pg_proc where pronamespace in (select oid from inside)
  union all
  select 'pg_type'::regclass::oid, oid from pg_type where typnamespace in (select oid from inside)
),
dependent as (
  select distinct d.classid, d.objid
    from pg_depend d join member m on d.refclassid = m.classid and d.refobjid = m.objid
   where d.deptype in ('n', 'a') and (d.classid, d.objid) not in (select classid, objid from member)
),
-- The relation, function or type that a user knows the dependent by.
owner (namespace, what) as (
  select c.relnamespace, c.oid::regclass::text
    from dependent d
    left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
    left join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
    left join pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
    left join pg_policy p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
    left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid and k.conrelid <> 0
    join pg_class c on c.oid = coalesce(r.ev_class, a.adrelid, t.tgrelid, p.polrelid, k.conrelid,
                                        case when d.classid = 'pg_class'::regclass then d.objid end)
  union
  select p.pronamespace, p.oid::regprocedure::text
    from dependent d join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid
  union
  select t.typnamespace, t.oid::regtype::text
    from dependent d join pg_type t on d.classid = 'pg_type'::regclass and t.oid = d.objid
)
select what from owner where namespace not in (select oid from inside) order by what limit 20;
