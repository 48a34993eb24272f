-- What PostgREST reads of a schema, as one hash. $1: the schema. $2: a text that stands for everything in it that is not
-- described here (operators, aggregates, ranges, ...): two builds with such objects are the same only if that is.
-- Run it with search_path = pg_catalog, so that every name is printed with its schema, and before the sentinel is there.
with recursive
ns as (select n.* from pg_namespace n where n.nspname = $1),
rel as (select c.* from pg_class c join ns on c.relnamespace = ns.oid where c.relkind <> 'i'),
routine as (select p.* from pg_proc p join ns on p.pronamespace = ns.oid),
typ as (
  select t.* from pg_type t join ns on t.typnamespace = ns.oid
   where t.typtype in ('e', 'd', 'b', 'r', 'm') and t.typelem = 0
),
-- Relations under the views and functions, through views in other schemas down to the tables.
base (relid) as (
  select d.refobjid from pg_depend d
   where d.refclassid = 'pg_class'::regclass
     and (d.classid = 'pg_rewrite'::regclass
            and d.objid in (select r.oid from pg_rewrite r join rel on rel.oid = r.ev_class)
          or d.classid = 'pg_proc'::regclass and d.objid in (select oid from routine))
  union
  select d.refobjid
    from base join pg_rewrite r on r.ev_class = base.relid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
   where d.refclassid = 'pg_class'::regclass
),
-- Row types of tables that functions take or return: their columns are part of the API.
rowtype (relid) as (
  select distinct t.typrelid
    from routine p cross join lateral unnest(array[p.prorettype] || coalesce(p.proallargtypes, p.proargtypes::oid[])) as used (type_oid)
    join pg_type t on t.oid = used.type_oid or t.typarray = used.type_oid
   where t.typrelid <> 0
),
line (text) as (
  select format('schema %s %s %s', pg_get_userbyid(nspowner),
           (select string_agg(a::text, ',' order by a::text collate "C") from unnest(nspacl) a),
           obj_description(oid, 'pg_namespace'))
    from ns
  union all
  select format('relation %s %s %s %s %s %s %s', relname, relkind, pg_get_userbyid(relowner),
           (select string_agg(o, ',' order by o collate "C") from unnest(reloptions) o),
           (select string_agg(a::text, ',' order by a::text collate "C") from unnest(relacl) a),
           obj_description(oid, 'pg_class'),
           case when relkind = 'v' then pg_get_viewdef(oid) end)
    from rel
  union all
  select format('column %s %s %s %s %s %s %s %s %s', c.oid::regclass, a.attnum, a.attname,
           format_type(a.atttypid, a.atttypmod), a.attnotnull,
           (select string_agg(g::text, ',' order by g::text collate "C") from unnest(a.attacl) g),
           (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.oid and d.adnum = a.attnum),
           a.attidentity, col_description(c.oid, a.attnum))
    from pg_class c join pg_attribute a on a.attrelid = c.oid
   where (c.oid in (select oid from rel) or c.oid in (select relid from rowtype))
     and a.attnum > 0 and not a.attisdropped
  union all
  select format('rule %s', pg_get_ruledef(r.oid))
    from pg_rewrite r join rel on rel.oid = r.ev_class where r.rulename <> '_RETURN'
  union all
  select format('trigger %s %s', pg_get_triggerdef(t.oid), t.tgenabled)
    from pg_trigger t join rel on rel.oid = t.tgrelid where not t.tgisinternal
  union all
  select format('routine %s %s %s %s %s', oid::regprocedure, pg_get_userbyid(proowner),
           (select string_agg(a::text, ',' order by a::text collate "C") from unnest(proacl) a),
           obj_description(oid, 'pg_proc'), pg_get_functiondef(oid))
    from routine where prokind <> 'a'
  union all
  select format('type %s %s %s %s %s %s %s %s %s', t.oid::regtype, t.typtype, pg_get_userbyid(t.typowner),
           (select string_agg(a::text, ',' order by a::text collate "C") from unnest(t.typacl) a),
           obj_description(t.oid, 'pg_type'),
           (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
           case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end, t.typdefault,
           (select string_agg(pg_get_constraintdef(k.oid), ',' order by k.conname) from pg_constraint k
             where k.contypid = t.oid) || t.typnotnull)
    from typ t
  union all
  select format('default %s %s %s', pg_get_userbyid(d.defaclrole), d.defaclobjtype,
           (select string_agg(a::text, ',' order by a::text collate "C") from unnest(d.defaclacl) a))
    from pg_default_acl d join ns on d.defaclnamespace = ns.oid
  union all
  select format('key %s %s %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    from pg_constraint k
   where k.contype in ('p', 'u', 'f')
     and (k.conrelid in (select relid from base) or k.confrelid in (select relid from base))
  union all
  select 'other ' || $2
   where exists (select from pg_depend d join ns on d.refobjid = ns.oid
                  where d.refclassid = 'pg_namespace'::regclass
                    and d.classid not in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass,
                                          'pg_default_acl'::regclass))
      or exists (select from routine where prokind = 'a')
      or exists (select from typ where typtype not in ('e', 'd'))
)
select encode(sha256(convert_to(string_agg(text, e'\n' order by text collate "C"), 'UTF8')), 'hex') as fingerprint from line;
