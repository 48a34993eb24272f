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
)
select 'outside' as kind, what from touched where namespace not in (select oid from inside)
union all
select 'state', format('%s %s', case c.relkind when 'S' then 'sequence' when 'm' then 'materialized view' else 'table' end,
                       c.oid::regclass)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p', 'f', 'S', 'm')
order by kind, what
limit 20;
