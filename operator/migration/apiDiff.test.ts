import { describe, expect, test } from 'vitest';
import type { ApiDescription, ApiFact } from './apiDescription.ts';
import { diffApi } from './apiDiff.ts';

type Aspects = Readonly<Record<string, string>>;

const facts = (kind: string, within: string, object: string, aspects: Aspects): readonly ApiFact[] =>
  Object.entries(aspects).map(([aspect, value]) => ({ kind, within, object, aspect, value }));

const view = (
  name: string,
  columns: Readonly<Record<string, Aspects>>,
  aspects: Aspects = {},
): ApiDescription => [
  ...facts('relation', name, name, { kind: 'view', owner: 'me', ...aspects }),
  ...Object.entries(columns).flatMap(([column, each]) =>
    facts('column', name, `${name}.${column}`, { type: 'text', ...each }),
  ),
];

/** A function with parameters as `name type` or `name type?` (has a default). */
const fn = (name: string, parameters: readonly string[], aspects: Aspects = {}): ApiDescription => {
  const read = parameters.map((each) => /^(\w+) (\w+)(\?)?$/.exec(each) ?? []);
  const signature = `${name}(${read.map(([, , type]) => type).join(', ')})`;
  return [
    ...facts('function', name, signature, {
      kind: 'function',
      returns: 'integer',
      volatility: 'stable',
      ...aspects,
    }),
    ...read.flatMap(([, parameter = '', type = '', optional], index) =>
      facts('parameter', name, `${signature}.${parameter}`, {
        position: String(index + 1),
        type,
        mode: 'in',
        ...(optional === undefined ? {} : { default: '1' }),
      }),
    ),
  ];
};

const of =
  (kind: string, object: string) =>
  (aspects: Aspects): ApiDescription =>
    facts(kind, '', object, aspects);
const fk = of('relationship', 'tasks_owner_fkey on public.tasks');
const state = (aspects: Aspects): ApiDescription =>
  facts('type', 'state', 'state', { kind: 'enum', ...aspects });

const tasks = view('tasks', { id: {}, title: {} });
const insertable = { writes: 'insert, update' };

/** A change as a line: `!` is breaking. */
const diff = (before: ApiDescription, after: ApiDescription): readonly string[] =>
  diffApi(before, after).map(
    ({ kind, name, change, breaking, detail }) =>
      `${breaking ? '!' : ' '} ${kind} ${name} ${change}: ${detail}`,
  );

describe('what changes for clients', () => {
  test.each<[string, ApiDescription, ApiDescription, readonly string[]]>([
    ['nothing', tasks, tasks, []],
    ['a new view, in one sentence', [], tasks, ['  relation tasks added: View tasks is new.']],
    ['a view that goes, in one sentence', tasks, [], ['! relation tasks removed: View tasks is gone.']],
    [
      'a new column',
      tasks,
      view('tasks', { id: {}, title: {}, due: {} }),
      ['  column tasks.due added: Column tasks.due is new.'],
    ],
    [
      'a column that goes',
      tasks,
      view('tasks', { id: {} }),
      ['! column tasks.title removed: Column tasks.title is gone.'],
    ],
    [
      'a type',
      tasks,
      view('tasks', { id: { type: 'bigint' }, title: {} }),
      ['! column tasks.id changed: Column tasks.id has the type bigint; it was text.'],
    ],
    [
      'the order of columns',
      view('tasks', { id: { position: '1' } }),
      view('tasks', { id: { position: '2' } }),
      [],
    ],
    [
      'a new column that inserts must give',
      view('tasks', { id: {} }, insertable),
      view('tasks', { id: {}, title: { required: 'yes' } }, insertable),
      ['! column tasks.title added: Column tasks.title is new and must be given when a row is inserted.'],
    ],
    [
      'the same where nobody inserts',
      view('tasks', { id: {} }),
      view('tasks', { id: {}, title: { required: 'yes' } }),
      ['  column tasks.title added: Column tasks.title is new.'],
    ],
    [
      'a column that inserts must give from now on',
      view('tasks', { id: {} }, insertable),
      view('tasks', { id: { required: 'yes' } }, insertable),
      [
        '! column tasks.id changed: Column tasks.id may not be null, has no default, and must be given when a row is inserted.',
      ],
    ],
    [
      'a view that takes less',
      view('tasks', {}, { writes: 'insert, update' }),
      view('tasks', {}, { writes: 'update' }),
      ['! relation tasks changed: View tasks does not take insert any more.'],
    ],
    [
      'a view that takes more',
      view('tasks', {}, {}),
      view('tasks', {}, { writes: 'update' }),
      ['  relation tasks changed: View tasks takes update now.'],
    ],
    [
      'a definition',
      view('tasks', {}, { definition: 'sha256:1' }),
      view('tasks', {}, { definition: 'sha256:2' }),
      ['  relation tasks changed: View tasks has another definition.'],
    ],
    [
      'a comment, without its text',
      view('tasks', {}, { comment: 'a secret' }),
      view('tasks', {}, { comment: 'another' }),
      ['  comment tasks changed: The comment on relation tasks is changed.'],
    ],
    [
      'privileges',
      view('tasks', {}, { 'granted to anon': 'DELETE, SELECT' }),
      view('tasks', {}, { 'granted to anon': 'INSERT, SELECT' }),
      [
        '! grant tasks to anon removed: anon loses DELETE on relation tasks.',
        '  grant tasks to anon added: anon gains INSERT on relation tasks.',
      ],
    ],
    [
      'a privilege that everybody has',
      view('tasks', {}, { 'granted to anon': 'SELECT' }),
      view('tasks', {}, { 'granted to PUBLIC': 'SELECT' }),
      ['  grant tasks to PUBLIC added: PUBLIC gains SELECT on relation tasks.'],
    ],
    [
      'a privilege on a column that the role has on the whole view now',
      view('tasks', { id: { 'granted to anon': 'SELECT' } }),
      view('tasks', { id: {} }, { 'granted to anon': 'SELECT' }),
      ['  grant tasks to anon added: anon gains SELECT on relation tasks.'],
    ],
    [
      'a relationship that goes',
      fk({ definition: 'FOREIGN KEY (owner) REFERENCES public.people(id)' }),
      [],
      [
        '! relationship tasks_owner_fkey on public.tasks removed: Relationship tasks_owner_fkey on public.tasks is gone.',
      ],
    ],
    [
      'a relationship that only deletes otherwise',
      fk({ definition: 'FOREIGN KEY (owner) REFERENCES public.people(id)' }),
      fk({ definition: 'FOREIGN KEY (owner) REFERENCES public.people(id) ON DELETE CASCADE NOT VALID' }),
      [
        '  relationship tasks_owner_fkey on public.tasks changed: Relationship tasks_owner_fkey on public.tasks is FOREIGN KEY (owner) REFERENCES public.people(id) ON DELETE CASCADE NOT VALID now; it was FOREIGN KEY (owner) REFERENCES public.people(id).',
      ],
    ],
    [
      'a key under another name',
      of('key', 'a on public.tasks')({ definition: 'PRIMARY KEY (id)' }),
      of('key', 'b on public.tasks')({ definition: 'PRIMARY KEY (id)' }),
      ['  key b on public.tasks added: Key b on public.tasks is new.'],
    ],
    [
      'labels',
      state({ labels: '["open","done"]' }),
      state({ labels: '["open","late"]' }),
      ['! type state changed: Type state loses the labels done and gains the labels late.'],
    ],
    [
      'a new label',
      state({ labels: '["open"]' }),
      state({ labels: '["open","late"]' }),
      ['  type state changed: Type state gains the labels late.'],
    ],
    [
      'a domain that takes less',
      facts('type', 'd', 'd', { constraints: 'a CHECK (value > 0)' }),
      facts('type', 'd', 'd', { constraints: 'a CHECK (value > 9)' }),
      ['! type d changed: Type d has other constraints: values that were taken may be refused.'],
    ],
    [
      'the schema closed to a role',
      of('schema', 'schema')({ 'granted to anon': 'USAGE' }),
      of('schema', 'schema')({ owner: 'me' }),
      [
        '! grant schema to anon removed: anon loses USAGE on the schema.',
        '  schema schema changed: The schema has another owner.',
      ],
    ],
    ['a new function', [], fn('f', ['a int']), ['  function f(int) added: Function f(int) is new.']],
    ['a function that goes', fn('f', ['a int']), [], ['! function f(int) removed: Function f(int) is gone.']],
    [
      'a parameter that may be left out',
      fn('f', ['a int']),
      fn('f', ['a int', 'b int?']),
      ['  parameter f(int, int).b added: Parameter b of function f is new, and may be left out.'],
    ],
    [
      'the same beside the old function: PostgREST cannot tell them apart',
      fn('f', ['a int']),
      [...fn('f', ['a int']), ...fn('f', ['a int', 'b int?'])],
      [
        '! function f(int) changed: A call of function f with the arguments a fits f(int) and f(int, int): PostgREST refuses it (PGRST203).',
        '  function f(int, int) added: Function f(int, int) is new.',
      ],
    ],
    [
      'an overload that takes other calls',
      fn('f', ['a int']),
      [...fn('f', ['a int']), ...fn('f', ['a int', 'b int'])],
      ['  function f(int, int) added: Function f(int, int) is new.'],
    ],
    [
      'a parameter that is needed',
      fn('f', ['a int']),
      fn('f', ['a int', 'b int']),
      [
        '! parameter f(int, int).b added: Parameter b of function f is new and has no default: calls without it are refused.',
      ],
    ],
    [
      'a parameter that goes',
      fn('f', ['a int', 'b int']),
      fn('f', ['a int']),
      ['! parameter f(int).b removed: Parameter b of function f is gone: calls that give it are refused.'],
    ],
    [
      'a parameter under another name',
      fn('f', ['a int']),
      fn('f', ['b int']),
      [
        '! parameter f(int).a removed: Parameter a of function f is gone: calls that give it are refused.',
        '! parameter f(int).b added: Parameter b of function f is new and has no default: calls without it are refused.',
      ],
    ],
    [
      'the type of a parameter',
      fn('f', ['a int']),
      fn('f', ['a text']),
      ['! parameter f(text).a changed: Parameter a of function f has the type text; it was int.'],
    ],
    [
      'a default that goes',
      fn('f', ['a int?']),
      fn('f', ['a int']),
      [
        '! parameter f(int).a changed: Parameter a of function f has lost its default: calls without it are refused.',
      ],
    ],
    ['parameters in another order', fn('f', ['a int', 'b text']), fn('f', ['b text', 'a int']), []],
    [
      'one of two overloads that goes',
      [...fn('f', ['a int']), ...fn('f', ['a int', 'b int'])],
      fn('f', ['a int']),
      [
        '! function f(int, int) removed: Function f(int, int) is gone. There is still f(int), which does not take all of its calls.',
      ],
    ],
    [
      'what a function returns',
      fn('f', [], { returns: 'integer' }),
      fn('f', [], { returns: 'text' }),
      ['! function f() changed: Function f() returns text; before, it was integer.'],
    ],
    [
      'a column more in what it returns',
      fn('f', [], { returns: 'TABLE(a integer)' }),
      fn('f', [], { returns: 'TABLE(a integer, b text)' }),
      [
        '  function f() changed: Function f() returns TABLE(a integer, b text); before, it was TABLE(a integer).',
      ],
    ],
    [
      'a body',
      fn('f', [], { body: 'sha256:1' }),
      fn('f', [], { body: 'sha256:2' }),
      ['  function f() changed: Function f() has another body.'],
    ],
    [
      'who may call it, under another signature',
      fn('f', ['a int'], { 'granted to anon': 'EXECUTE' }),
      fn('f', ['a int', 'b int?']),
      [
        '! grant f(int, int) to anon removed: anon loses EXECUTE on function f(int, int).',
        '  parameter f(int, int).b added: Parameter b of function f is new, and may be left out.',
      ],
    ],
  ])('%s', (_what, before, after, says) => {
    expect(diff(before, after)).toEqual(says);
  });
});
