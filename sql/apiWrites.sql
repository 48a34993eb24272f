-- What the API SQL did that API SQL must not do; empty when all is well. $1: the schema that was built, $2: the parked one.
-- A catalog row that this transaction wrote carries its id as xmin, whether the object is new or was changed.
with
me as (select pg_current_xact_id()::xid as xid),
inside as (select oid from pg_namespace where nspname in ($1, $2)),
touched (namespace, what) as (
  select c.relnamespace,
         format('%s %s', case c.relkind when 'v' then 'view' when 'S' then 'sequence' when 'i' then 'index'
                                        when 'm' then 'materialized view' when 'c' then 'type' else 'table' end,
                c.oid::regclass)
    from pg_class c, me where c.xmin = me.xid
  union
  select c.relnamespace, format('columns of %s', c.oid::regclass)
    from pg_attribute a join pg_class c on c.oid = a.attrelid, me where a.xmin = me.xid and c.xmin <> me.xid
  union
  select p.pronamespace, format('function %s', p.oid::regprocedure) from pg_proc p, me where p.xmin = me.xid
  union
  select t.typnamespace, format('type %s', t.oid::regtype)
    from pg_type t, me where t.xmin = me.xid and t.typrelid = 0 and t.typelem = 0
  union
  select n.oid, format('schema %I', n.nspname) from pg_namespace n, me where n.xmin = me.xid
  union
  select c.relnamespace, format('policy %I on %s', p.polname, c.oid::regclass)
    from pg_policy p join pg_class c on c.oid = p.polrelid, me where p.xmin = me.xid
  union
  select c.relnamespace, format('trigger %I on %s', t.tgname, c.oid::regclass)
    from pg_trigger t join pg_class c on c.oid = t.tgrelid, me where t.xmin = me.xid
  union
  select c.relnamespace, format('rule %I on %s', r.rulename, c.oid::regclass)
    from pg_rewrite r join pg_class c on c.oid = r.ev_class, me where r.xmin = me.xid
  union
  select d.defaclnamespace, 'default privileges of the whole database' from pg_default_acl d, me where d.xmin = me.xid
  union
  select 0, format('extension %I', e.extname) from pg_extension e, me where e.xmin = me.xid
  union
  select c.relnamespace, format('default of %s', c.oid::regclass)
    from pg_attrdef d join pg_class c on c.oid = d.adrelid, me where d.xmin = me.xid
  union
  select coalesce(c.relnamespace, t.typnamespace), format('constraint %I on %s', k.conname, coalesce(c.oid::regclass::text, t.oid::regtype::text))
    from me, pg_constraint k left join pg_class c on c.oid = k.conrelid left join pg_type t on t.oid = k.contypid
   where k.xmin = me.xid
  union
  select t.typnamespace, format('label %s of type %s', e.enumlabel, t.oid::regtype)
    from pg_enum e join pg_type t on t.oid = e.enumtypid, me where e.xmin = me.xid
  union
  select o.oprnamespace, format('operator %s', o.oid::regoperator) from pg_operator o, me where o.xmin = me.xid
  union
  select c.collnamespace, format('collation %s', c.oid::regcollation) from pg_collation c, me where c.xmin = me.xid
  union
  select c.cfgnamespace, format('text search configuration %s', c.oid::regconfig) from pg_ts_config c, me where c.xmin = me.xid
  union
  select c.cfgnamespace, format('text search configuration %s', c.oid::regconfig)
    from pg_ts_config_map m join pg_ts_config c on c.oid = m.mapcfg, me where m.xmin = me.xid
  union
  select d.dictnamespace, format('text search dictionary %s', d.oid::regdictionary) from pg_ts_dict d, me where d.xmin = me.xid
  union
  -- A cast belongs to the API when one of its types does: so PostgREST's domain representations are made.
  select case when s.typnamespace in (select oid from inside) then s.typnamespace else t.typnamespace end,
         format('cast %s AS %s', s.oid::regtype, t.oid::regtype)
    from pg_cast k join pg_type s on s.oid = k.castsource join pg_type t on t.oid = k.casttarget, me where k.xmin = me.xid
  union
  -- Comments on rules, triggers, policies and constraints are where their relation or type is.
  select coalesce(n.oid, c.relnamespace, t.typnamespace, 0), format('comment on %s %s', i.type, i.identity)
    from me, pg_description d cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) i
    left join pg_rewrite r on d.classoid = 'pg_rewrite'::regclass and r.oid = d.objoid
    left join pg_trigger g on d.classoid = 'pg_trigger'::regclass and g.oid = d.objoid
    left join pg_policy p on d.classoid = 'pg_policy'::regclass and p.oid = d.objoid
    left join pg_constraint k on d.classoid = 'pg_constraint'::regclass and k.oid = d.objoid
    left join pg_class c on c.oid = coalesce(r.ev_class, g.tgrelid, p.polrelid, k.conrelid)
    left join pg_type t on t.oid = k.contypid
    left join pg_namespace n on quote_ident(n.nspname) = case i.type when 'schema' then i.identity else i.schema end
   where d.xmin = me.xid and d.classoid <> 'pg_cast'::regclass
)
select 'outside' as kind, what from touched where namespace not in (select oid from inside)
union all
select 'state', format('%s %s', case c.relkind when 'S' then 'sequence' when 'm' then 'materialized view' else 'table' end,
                       c.oid::regclass)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p', 'f', 'S', 'm')
order by kind, what
limit 20;
