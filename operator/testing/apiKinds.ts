import { expect } from 'vitest';

/** A kind of object that API SQL may hold, over `public.tasks` with its two rows. */
export interface ApiKind {
  readonly what: string;
  readonly sql: string;
  /** Run in the release before the query. */
  readonly run?: string;
  /** Its column `value` is `is` in the release; `api` is the release's schema in it. */
  readonly query: string;
  readonly is: unknown;
}

/** What must survive being built, renamed and rewritten. */
export const apiKinds: readonly ApiKind[] = [
  {
    what: 'a recursive view',
    sql: `create recursive view api.tree (id, depth) as
            select id, 0 from public.tasks where parent is null
            union all select t.id, tree.depth + 1 from public.tasks t join tree on tree.id = t.parent`,
    query: 'select max(depth) as value from api.tree',
    is: 1,
  },
  {
    what: 'views on views, with options',
    sql: `create view api.a with (security_invoker = true) as select id, title from public.tasks;
          create view api.b with (security_barrier) as select a.id, a.title as "a.b""c" from api.a where id > 1 with local check option;
          create view api."ä.b""c" as select "a.b""c" from api.b`,
    query: `select string_agg(c.reloptions::text, ' ' order by relname) || (select "a.b""c" from api."ä.b""c") as value
              from pg_class c where relnamespace = 'api'::regnamespace`,
    is: '{security_invoker=true} {security_barrier=true,check_option=local}read',
  },
  {
    what: 'functions used by views, and views used by functions',
    sql: `create function api.upper(t text) returns text language sql immutable as $$ select pg_catalog.upper(t) $$;
          create view api.loud as select id, api.upper(title) as title from public.tasks;
          create function api.loudest() returns setof api.loud language sql stable as 'select * from api.loud order by loud.id desc limit 1';
          create function api.loudest(n int) returns table (title text) language plpgsql stable as $$
            declare r api.loud; t api.loud.title%type;
            begin for r in select * from api.loudest() limit n loop t := r.title; return query select t; end loop; end $$`,
    query: 'select title as value from api.loudest(3)',
    is: 'READ',
  },
  {
    what: 'default arguments and variadic ones',
    sql: `create function api.one() returns int language sql return 1;
          create function api.sum(a int default api.one(), variadic rest int[] default array[api.one(), 2]) returns int
            language sql as $$ select a + (select sum(x)::int from unnest(rest) x) + api.one() $$;
          create view api.t as select id from public.tasks;
          create function api.f(inout x int, out y api.t, "in" api.t default null) language plpgsql as $$
            begin y := (select t from api.t t limit 1); x := x + (y).id; end $$`,
    query: 'select api.sum() + (api.f(1)).x as value',
    is: 7,
  },
  {
    what: 'overloads, quoted names',
    sql: `create function api."f.x""y"(int) returns text language sql as 'select ''int''';
       create function api."f.x""y"(text) returns text language sql as $x$ select 'text' || "api"."f.x""y"(1) $x$;
       create function api."f.x""y"("a""b" numeric, out "c.d" text) language plpgsql as $x$ begin "c.d" := api . "f.x""y"('a'::text); end $x$`,
    query: `select api."f.x""y"(1.5) as value`,
    is: 'textint',
  },
  {
    what: 'a function that is replaced in the same build',
    sql: `create function api.f() returns int language sql as 'select 1';
       create or replace function api.f() returns int language sql as 'select 2';
       create view api.v as select api.f() as x; create or replace view api.v as select api.f() as x, 3 as y;
       create or replace function api.f() returns int language plpgsql as $$ begin return (select 4); end $$`,
    query: 'select x + y as value from api.v',
    is: 7,
  },
  {
    what: 'BEGIN ATOMIC over other functions',
    sql: `create function api.a() returns int language sql begin atomic select 20; end;
          create function api.b(x int default api.a()) returns int language sql set search_path = api, public begin atomic; select x + api.a(); end;
          create procedure api.p(inout x int) language sql begin atomic; select x + api.b(); end;`,
    query: `select api.b() || (select proconfig::text from pg_proc where oid = 'api.b'::regproc) as value`,
    is: expect.stringMatching(/^40\{"search_path=api_[0-9a-f]{8}, public"\}$/),
  },
  {
    what: 'procedures',
    sql: `create procedure api.p(x int, inout y int default null) language plpgsql as $$ begin
            y := x + (select count(*) from api.v); insert into api.v values (x + 100, 'p'); end $$;
          create view api.v as select id, title from public.tasks`,
    query:
      `do $x$ declare y int; begin call api.p(1, y); if y <> 3 then raise 'y is %', y; end if; end $x$;
            select 1 as value`.split(';\n')[1] ?? '',
    is: 1,
  },
  {
    what: 'SET of search_path and of other settings',
    sql: `create view api.tasks as select 'api' as whose;
          create text search configuration api.cfg (copy = pg_catalog.english);
          create function api.f() returns text language plpgsql
            set search_path = api, "we""ird", pg_temp set work_mem = '5MB' set default_text_search_config = 'api.cfg' set datestyle = iso, dmy
            as $$ begin return (select whose from tasks) || current_setting('work_mem') || to_tsvector('running')::text
                               || current_setting('datestyle') || current_setting('search_path'); end $$`,
    query: 'select api.f() as value',
    is: expect.stringMatching(/^api5MB'run':1ISO, DMY"?api_[0-9a-f]{8}"?, "we""ird", "?pg_temp"?$/),
  },
  {
    what: 'nested dollar quotes, CRLF, and a body that holds the tag',
    sql: "create view api.v as select 1 as x;\r\ncreate function api.f() returns text language plpgsql as $a$\r\nbegin\r\n  -- $function$ $functionx$ $b$\r\n  return $b$ it's $function$ $b$ || (select x from api.v);\r\nend $a$",
    query: 'select api.f() as value',
    is: " it's $function$ 1",
  },
  {
    what: 'aggregates',
    sql: `create function api.add(int, int) returns int language sql immutable as 'select $1 + $2';
       create function api.show(int) returns text language sql immutable as $$ select 'sum ' || api.add($1, 0) $$;
       create aggregate api.total(int) (sfunc = api.add, stype = int, initcond = '0', finalfunc = api.show);
       create aggregate api.ordered(order by int) (sfunc = api.add, stype = int, initcond = '1');
       create view api.v as select api.total(id) as t, api.ordered() within group (order by id) as o from public.tasks;
       comment on aggregate api.total(int) is 'adds up'`,
    query: 'select t || o::text as value from api.v',
    is: 'sum 34',
  },
  {
    what: 'operators',
    sql: `create function api.same(text, text) returns boolean language sql immutable as $$ select lower($1) = lower($2) $$;
          create operator api.=== (leftarg = text, rightarg = text, function = api.same, commutator = operator(api.===));
          create view api.v as select id from public.tasks where title operator(api.===) 'READ';
          create function api.f() returns int language sql stable as $$ select id from public.tasks where title operator(api.===) 'READ' $$;
          alter operator api.=== (text, text) set (restrict = eqsel);
          comment on operator api.=== (text, text) is 'whatever the case'`,
    query: 'select id + api.f() as value from api.v',
    is: 4,
  },
  {
    what: 'collations, text search objects',
    sql: `create collation api.names (locale = 'C');
          create text search dictionary api.dict (template = pg_catalog.simple, stopwords = english);
          alter text search dictionary api.dict (accept = true);
          create text search configuration api.cfg (copy = pg_catalog.simple);
          alter text search configuration api.cfg alter mapping for asciiword with api.dict;
          create view api.v as select title collate api.names as title, to_tsvector('api.cfg', title) as vector from public.tasks;
          create function api.f(t text) returns tsvector language sql immutable return to_tsvector('api.cfg'::regconfig, t)`,
    query: `select string_agg(vector::text, '' order by title) || api.f('the end')::text as value from api.v`,
    is: "'read':1'write':1'end':2",
  },
  {
    what: 'domains whose checks and defaults call functions',
    sql: `create function api.ok(text) returns boolean language plpgsql immutable as $$ begin return $1 ~ '^[a-z]+$' and api.yes(); end $$;
          create function api.yes() returns boolean language sql immutable as 'select true';
          create function api.dflt() returns text language sql as $$ select 'x'::text $$;
          create domain api.slug as text collate "C" default api.dflt() constraint nice check (api.ok(value));
          alter domain api.slug set not null;
          comment on constraint nice on domain api.slug is 'nice';
          create function api.f(s api.slug) returns api.slug[] language sql as $$ select array[s, 'b'::api.slug] $$`,
    query: `select api.f('a')::text || (select count(*) from pg_type where typnamespace = 'api'::regnamespace) as value`,
    is: '{a,b}2',
  },
  {
    what: 'enums, composites, ranges',
    sql: `create type api.color as enum ('red');
          alter type api.color add value 'blue' after 'red';
          create type api.pair as (c api.color, "n.m" int);
          alter type api.pair add attribute t text;
          create function api.diff(a float8, b float8) returns float8 language sql immutable as 'select a - b';
          create type api.floats as range (subtype = float8, subtype_diff = api.diff, multirange_type_name = api.many);
          create function api.f(p api.pair, r api.floats) returns text language sql as $$ select (p).c || lower(r)::text || api.many(r)::text $$`,
    query: `select api.f(row('blue', 1, 't')::api.pair, '[1,2)') as value`,
    is: 'blue1{[1,2)}',
  },
  {
    what: 'rules and defaults of views',
    sql: `create function api.next() returns int language sql as 'select 1 + max(id) from public.tasks';
          create view api.v as select id, upper(title) as title from public.tasks;
          alter view api.v alter column id set default api.next();
          create rule ins as on insert to api.v do instead insert into public.tasks (id, title) values (new.id, new.title || api.next());
          comment on rule ins on api.v is 'inserts'`,
    query: `with x as (select 1) select column_default is not null as value from information_schema.columns where table_schema = 'api' and column_name = 'id'`,
    is: true,
  },
  {
    what: 'INSTEAD OF triggers',
    sql: `create view api.v as select id, title from public.tasks;
          create function api.ins() returns trigger language plpgsql set search_path = '' as $$
            begin insert into public.tasks (id, title) select max(id) + 1, new.title from api.v; return new; end $$;
          create trigger ins instead of insert on api.v for each row execute function api.ins();
          comment on trigger ins on api.v is 'inserts'`,
    query: `select count(*)::int as value from pg_trigger where tgrelid = 'api.v'::regclass and tgfoid = 'api.ins'::regproc`,
    is: 1,
  },
  {
    what: 'casts, as domain representations are made',
    sql: `create domain api.color as int;
          create function api.json(api.color) returns json language sql immutable as $$ select to_json('#' || to_hex($1::int)) $$;
          create function api.color(json) returns api.color language sql immutable as $$ select 1::int::api.color $$;
          create cast (api.color as json) with function api.json(api.color) as implicit;
          create cast (json as api.color) with function api.color(json) as assignment;
          comment on cast (api.color as json) is 'shows it';
          create view api.v as select id::api.color as color from public.tasks`,
    query: `select count(*)::int as value from pg_cast where 'api.color'::regtype in (castsource, casttarget)`,
    is: 2,
  },
  {
    what: 'polymorphic functions with every attribute',
    sql: `create function api.first(a anyarray, b anycompatible default null) returns anyelement
            language plpgsql immutable strict parallel safe cost 7 security definer set search_path = api
            as $$ declare x a%type := a; begin return x[1]; end $$;
          create function api.gen() returns setof int language sql stable rows 7 parallel restricted as 'select generate_series(1, 3)'`,
    query: `select api.first(array['a'], 1) || (select string_agg(format('%s %s %s %s %s %s', proisstrict, procost, provolatile, proparallel, prosecdef, prorows), ', ' order by proname)
              from pg_proc where pronamespace = 'api'::regnamespace and proname not like 'pgrst%') as value`,
    is: 'at 7 i s t 0, f 100 s r f 7',
  },
];
