-- What PostgREST reads of a schema, and what decides what it may do there: one row for each fact.
-- $1: the schema. $2: the name to print instead of it, so that two releases of one API are described alike.
-- $3: the name of a function to leave out (the sentinel), or null.
-- Run it with search_path = pg_catalog, so that every name is printed with its schema. Definitions and bodies, and what
-- is longer than 256 bytes, are given by their hash.
with recursive
ns as (select n.oid, n.nspowner, n.nspacl from pg_namespace n where n.nspname = $1),
rel as (
  select c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.reloptions, c.reltype
    from pg_class c join ns on c.relnamespace = ns.oid where c.relkind not in ('i', 'I')
),
routine as (
  select p.*, format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)) as signature
    from pg_proc p join ns on p.pronamespace = ns.oid
   where p.prokind <> 'a' and ($3::text is null or p.proname <> $3)
),
typ as (
  select t.* from pg_type t join ns on t.typnamespace = ns.oid
   where t.typtype in ('e', 'd', 'b', 'r', 'm') and t.typelem = 0
),
-- Relations under the views and functions, through views in other schemas down to the tables.
base (relid) as (
  select d.refobjid
    from rel join pg_rewrite r on r.ev_class = rel.oid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
  union
  select d.refobjid
    from routine
    join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = routine.oid and d.refclassid = 'pg_class'::regclass
  union
  select d.refobjid
    from base join pg_rewrite r on r.ev_class = base.relid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
),
-- Row types of tables that functions take or return: their columns are part of the API.
rowtype (relid) as (
  select distinct t.typrelid
    from routine p
    cross join lateral unnest(array[p.prorettype] || coalesce(p.proallargtypes, p.proargtypes::oid[])) as used (type_oid)
    join pg_type t on t.oid = used.type_oid or t.typarray = used.type_oid
   where t.typrelid <> 0 and t.typrelid not in (select oid from rel)
),
-- Every column of the API: `within` is the relation's name as the API knows it.
col as (
  select c.oid as relid, c.relname::text as within, format('%I.%I', c.relname, a.attname) as object, a.*
    from rel c join pg_attribute a on a.attrelid = c.oid
   where a.attnum > 0 and not a.attisdropped
  union all
  select c.oid, format('%I.%I', n.nspname, c.relname), format('%I.%I.%I', n.nspname, c.relname, a.attname), a.*
    from rowtype join pg_class c on c.oid = rowtype.relid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid
   where a.attnum > 0 and not a.attisdropped
),
-- Columns that the views' rules name. Materialized: joined by name alone, as the planner likes to in a transaction whose
-- catalogs have no statistics yet, thousands of views with a column `id` are millions of rows.
used (relid, attrelid, attnum, attname) as materialized (
  select r.ev_class, b.attrelid, b.attnum, b.attname
    from pg_rewrite r
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
     and d.refobjsubid > 0 and d.refobjid <> r.ev_class
    join pg_attribute b on b.attrelid = d.refobjid and b.attnum = d.refobjsubid
   where r.ev_class = any (array(select oid from rel))
),
-- Columns of tables that a view shows under their own name. (Which column stands behind another name is known to the
-- view's tree only.)
origin (object, within, relid, attnum) as (
  select col.object, col.within, used.attrelid, used.attnum
    from col join used on used.relid = col.relid and used.attname = col.attname
  union
  select o.object, o.within, b.attrelid, b.attnum
    from origin o join pg_attribute v on v.attrelid = o.relid and v.attnum = o.attnum
    join pg_rewrite r on r.ev_class = o.relid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
     and d.refobjsubid > 0 and d.refobjid <> o.relid
    join pg_attribute b on b.attrelid = d.refobjid and b.attnum = d.refobjsubid and b.attname = v.attname
),
source as (
  select min(o.object) as object, min(o.within) as within, min(o.relid) as relid, min(o.attnum) as attnum
    from origin o join pg_class c on c.oid = o.relid and c.relkind in ('r', 'p', 'f')
   group by o.object having count(*) = 1
),
acl (kind, within, object, items) as (
  select 'schema', '', 'schema', coalesce(nspacl, acldefault('n', nspowner)) from ns
  union all
  select 'relation', relname::text, quote_ident(relname), coalesce(relacl, acldefault('r', relowner))
    from rel where relkind <> 'c'
  union all
  select 'column', within, object, attacl from col where attacl is not null
  union all
  select 'function', proname::text, signature, coalesce(proacl, acldefault('f', proowner)) from routine
  union all
  select 'type', t.typname::text, quote_ident(t.typname), coalesce(t.typacl, acldefault('T', t.typowner))
    from pg_type t where t.oid in (select oid from typ union all select reltype from rel where relkind = 'c')
  union all
  select 'default privileges', '', format('%s of %I', case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'
           when 'f' then 'functions' when 'T' then 'types' else 'schemas' end, pg_get_userbyid(d.defaclrole)), d.defaclacl
    from pg_default_acl d join ns on d.defaclnamespace = ns.oid
),
parameter as (
  select p.proname::text as within, p.oid, p.signature, arg.type_oid, arg.number,
         coalesce(nullif(p.proargnames[arg.number], ''), '$' || arg.number) as name,
         coalesce(p.proargmodes[arg.number], 'i') as mode
    from routine p
    cross join lateral unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as arg (type_oid, number)
),
fact (kind, within, object, aspect, value) as (
  select 'schema', '', 'schema', aspect, value
    from ns cross join lateral (values ('owner', pg_get_userbyid(nspowner)::text),
                                       ('comment', obj_description(oid, 'pg_namespace'))) as f (aspect, value)
  union all
  select case relkind when 'c' then 'type' else 'relation' end, relname::text, quote_ident(relname), aspect, value
    from rel cross join lateral (values
      ('kind', case relkind when 'v' then 'view' when 'c' then 'composite type' when 'm' then 'materialized view'
                            when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end),
      ('owner', pg_get_userbyid(relowner)::text),
      ('options', (select string_agg(o, ', ' order by o collate "C") from unnest(reloptions) o)),
      ('definition', case when relkind in ('v', 'm') then pg_get_viewdef(oid) end),
      ('writes', case when relkind = 'v' then (
         select string_agg(verb, ', ') from (values (8, 'insert'), (4, 'update'), (16, 'delete')) as w (bit, verb)
          where pg_relation_is_updatable(rel.oid, true) & bit <> 0) end),
      ('comment', obj_description(oid, 'pg_class'))) as f (aspect, value)
  union all
  select 'column', within, object, aspect, value
    from col cross join lateral (values
      ('position', attnum::text),
      ('type', format_type(atttypid, atttypmod)),
      ('not null', case when attnotnull then 'yes' end),
      ('default', case when atthasdef then (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
                                             where d.adrelid = relid and d.adnum = attnum) end),
      ('identity', nullif(attidentity::text, '')),
      ('comment', col_description(relid, attnum))) as f (aspect, value)
  union all
  select 'column', s.within, s.object, aspect, value
    from source s join pg_attribute a on a.attrelid = s.relid and a.attnum = s.attnum
    cross join lateral (values
      ('required', case when a.attnotnull and not a.atthasdef and a.attidentity = '' then 'yes' end),
      ('table default', case when a.atthasdef then (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
                                                     where d.adrelid = a.attrelid and d.adnum = a.attnum) end)
    ) as f (aspect, value)
  union all
  select 'rule', rel.relname::text, format('%I on %I', r.rulename, rel.relname), aspect, value
    from pg_rewrite r join rel on rel.oid = r.ev_class
    cross join lateral (values ('definition', pg_get_ruledef(r.oid)), ('enabled', r.ev_enabled::text),
                               ('comment', obj_description(r.oid, 'pg_rewrite'))) as f (aspect, value)
   where r.rulename <> '_RETURN'
  union all
  select 'trigger', rel.relname::text, format('%I on %I', t.tgname, rel.relname), aspect, value
    from pg_trigger t join rel on rel.oid = t.tgrelid
    cross join lateral (values ('definition', pg_get_triggerdef(t.oid)), ('enabled', t.tgenabled::text),
                               ('comment', obj_description(t.oid, 'pg_trigger'))) as f (aspect, value)
   where not t.tgisinternal
  union all
  select 'function', p.proname::text, signature, aspect, value
    from routine p join pg_language l on l.oid = p.prolang
    cross join lateral (values
      ('kind', case p.prokind when 'p' then 'procedure' when 'w' then 'window function' else 'function' end),
      ('owner', pg_get_userbyid(proowner)::text),
      ('returns', pg_get_function_result(p.oid)),
      ('volatility', case provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end),
      ('security', case when prosecdef then 'definer' else 'invoker' end),
      ('settings', array_to_string(proconfig, e'\n')),
      ('options', concat_ws(', ', l.lanname, case when proisstrict then 'strict' end,
         case when proleakproof then 'leakproof' end, 'parallel ' || proparallel::text, 'cost ' || procost, 'rows ' || prorows,
         'support ' || nullif(prosupport::oid, 0)::regprocedure, 'transforms ' || protrftypes::text)),
      ('body', coalesce(pg_get_function_sqlbody(p.oid), concat_ws(' ', probin, prosrc))),
      ('comment', obj_description(p.oid, 'pg_proc'))) as f (aspect, value)
  union all
  select 'parameter', within, format('%s.%I', signature, name), aspect, value
    from parameter cross join lateral (values
      ('position', number::text),
      ('type', format_type(type_oid, null)),
      ('mode', case mode when 'i' then 'in' when 'o' then 'out' when 'b' then 'inout' when 'v' then 'variadic'
                         else 'table' end),
      ('default', pg_get_function_arg_default(oid, number::int))) as f (aspect, value)
   where mode in ('i', 'b', 'v')
  union all
  select 'type', t.typname::text, quote_ident(t.typname), aspect, value
    from typ t cross join lateral (values
      ('kind', case typtype when 'e' then 'enum' when 'd' then 'domain' else 'base or range type' end),
      ('owner', pg_get_userbyid(typowner)::text),
      ('labels', (select json_agg(e.enumlabel order by e.enumsortorder)::text from pg_enum e where e.enumtypid = t.oid)),
      ('type', case when typtype = 'd' then format_type(typbasetype, typtypmod) end),
      ('not null', case when typnotnull then 'yes' end),
      ('default', typdefault),
      ('constraints', (select string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ', ' order by k.conname collate "C")
                         from pg_constraint k where k.contypid = t.oid)),
      ('comment', obj_description(t.oid, 'pg_type'))) as f (aspect, value)
  union all
  select kind, within, object, 'granted to ' || case grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(grantee)) end,
         string_agg(privilege_type || case when is_grantable then ' with grant option' else '' end, ', '
                    order by privilege_type collate "C")
    from acl cross join lateral aclexplode(items)
   group by kind, within, object, grantee
  union all
  select case k.contype when 'f' then 'relationship' else 'key' end, '', format('%I on %s', k.conname, k.conrelid::regclass),
         'definition', pg_get_constraintdef(k.oid)
    from pg_constraint k
   where k.oid in (select c.oid from pg_constraint c join base on base.relid = c.conrelid where c.contype in ('p', 'u', 'f')
                   union select c.oid from pg_constraint c join base on base.relid = c.confrelid where c.contype = 'f')
  union all
  -- What is not described any further: operators, aggregates, ranges, collations, text search, ...
  select 'other', '', i.type || ' ' || i.identity, 'kind', i.type
    from (select d.classid, d.objid from pg_depend d join ns on d.refobjid = ns.oid
           where d.refclassid = 'pg_namespace'::regclass
             and d.classid not in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_default_acl'::regclass)
          union
          select 'pg_proc'::regclass, p.oid from pg_proc p join ns on p.pronamespace = ns.oid where p.prokind = 'a'
          union
          select 'pg_type'::regclass, oid from typ where typtype not in ('e', 'd')) as o
    cross join lateral pg_identify_object(o.classid, o.objid, 0) as i
),
-- What PostgreSQL prints has names in quotes that need them; bodies are as they were written.
named as (
  select kind, within, aspect,
         case when $1 = $2 then object
              else replace(replace(object, $1 || '.', quote_ident($2) || '.'), $1, $2) end as object,
         case when $1 = $2 then value
              when aspect = 'body' then replace(value, $1, $2)
              when aspect = 'settings' then replace(value, $1, quote_ident($2))
              else replace(replace(value, $1 || '.', quote_ident($2) || '.'), $1, $2) end as value
    from fact where value is not null
)
select kind, within, object, aspect,
       case when aspect in ('definition', 'body') and kind not in ('key', 'relationship')
              or octet_length(value) > 256 and aspect <> 'labels'
            then 'sha256:' || encode(sha256(convert_to(value, 'UTF8')), 'hex') else value end as value
  from named
