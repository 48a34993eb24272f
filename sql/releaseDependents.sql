-- What dropping the schemas $1 with CASCADE would take beside what is part of a release: objects outside of them that
-- depend on them, and relations inside that hold data (nobody's but a person's: a release has none, and the ledger's are
-- ours).
with recursive
inside as (select oid, nspname from pg_namespace where nspname = any ($1)),
-- Everything that would go; objsubid is the column where a column alone goes.
gone (classid, objid, objsubid) as (
  select 'pg_namespace'::regclass::oid, oid, 0 from inside
  union
  select next.classid, next.objid, next.objsubid
    from gone g
    cross join lateral (
      select d.classid, d.objid, d.objsubid
        from pg_depend d
       where d.refclassid = g.classid and d.refobjid = g.objid and (g.objsubid = 0 or d.refobjsubid = g.objsubid)
         and d.deptype in ('n', 'a', 'i', 'P', 'S', 'x')
      union all
      -- With its rule goes the view.
      select d.refclassid, d.refobjid, 0
        from pg_depend d
       where g.classid = 'pg_rewrite'::regclass and d.classid = g.classid and d.objid = g.objid and d.deptype = 'i'
    ) next
),
-- Rules, defaults, triggers, policies and constraints belong where their relation is.
named as (
  select g.classid, g.objid, g.objsubid, i.type, i.schema, i.identity,
         coalesce(r.ev_class, a.adrelid, t.tgrelid, p.polrelid, nullif(k.conrelid, 0)) as relid,
         r.rulename = '_RETURN' as is_view
    from gone g
    cross join lateral pg_identify_object(g.classid, g.objid, g.objsubid) i
    left join pg_rewrite r on g.classid = 'pg_rewrite'::regclass and r.oid = g.objid
    left join pg_attrdef a on g.classid = 'pg_attrdef'::regclass and a.oid = g.objid
    left join pg_trigger t on g.classid = 'pg_trigger'::regclass and t.oid = g.objid
    left join pg_policy p on g.classid = 'pg_policy'::regclass and p.oid = g.objid
    left join pg_constraint k on g.classid = 'pg_constraint'::regclass and k.oid = g.objid
),
outside as (
  select case when n.is_view then format('view %s', n.relid::regclass) else format('%s %s', n.type, n.identity) end as what
    from named n left join pg_class c on c.oid = n.relid
   where n.classid not in ('pg_namespace'::regclass, 'pg_default_acl'::regclass)
     and n.schema is distinct from 'pg_toast'
     and case when n.relid is not null then c.relnamespace not in (select oid from inside)
              else n.schema is null or n.schema not in (select quote_ident(nspname) from inside) end
     -- A cast between types of the API goes with them.
     and not (n.classid = 'pg_cast'::regclass
              and exists (select from pg_cast k join pg_type t on t.oid in (k.castsource, k.casttarget)
                           where k.oid = n.objid and t.typnamespace in (select oid from inside)))
     -- Nor is the row type of a relation, or the array of a type, worth a line of its own.
     and not (n.classid = 'pg_type'::regclass
              and (exists (select from pg_type t join pg_class c on c.oid = t.typrelid
                            where t.oid = n.objid and c.relkind <> 'c')
                   or exists (select from pg_type t where t.typarray = n.objid)))
)
select what from (
  select what from outside
  union
  select format('%s %s, which holds data', case relkind when 'S' then 'sequence' when 'm' then 'materialized view'
                                                        else 'table' end, oid::regclass)
    from pg_class
   where relnamespace in (select oid from inside where nspname <> 'pgrst_ledger') and relkind in ('r', 'p', 'f', 'm', 'S')
) all_of_them
order by what limit 20;
