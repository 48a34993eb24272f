import { describe, expect, test } from 'vitest';
import { diffOpenApi, namesNothing, readOpenApi, type OpenApiDocument } from './openApiDiff.ts';

/** Part of what PostgREST 12.0.2 says of a view, a table and a function of three parameters. */
const stable = {
  swagger: '2.0',
  info: { title: 'Tasks', description: 'v1', version: '12.0.2' },
  basePath: '/',
  definitions: {
    tasks: {
      description: 'What is to be done',
      properties: {
        id: { description: 'Note:\nThis is a Primary Key.<pk/>', format: 'bigint', type: 'integer' },
        title: { format: 'text', type: 'string' },
        due: { format: 'date', type: 'string' },
        kind: { format: 'character varying', maxLength: 10, type: 'string' },
        mood: { enum: ['sad', 'ok'], format: 'api_9602e0b1.mood', type: 'string' },
        meta: { format: 'jsonb' },
      },
      required: ['title'],
      type: 'object',
    },
    totals: { properties: { n: { format: 'bigint', type: 'integer' } }, type: 'object' },
  },
  paths: {
    '/': { get: {} },
    '/tasks': { get: {}, post: {}, delete: {}, patch: {} },
    '/totals': { get: {} },
    '/rpc/login': rpc({ email: 'text', pass: 'text', remember: 'boolean' }, ['email', 'pass']),
    '/rpc/pgrst_sentinel_9602e0b1': rpc({}, []),
  },
};
type Sample = typeof stable;

function rpc(parameters: Record<string, string>, required: readonly string[]) {
  const properties: Record<string, { format: string }> = Object.fromEntries(
    Object.entries(parameters).map(([name, format]) => [name, { format }]),
  );
  return {
    get: {
      parameters: Object.entries(parameters).map(([name, format]) => ({
        in: 'query',
        name,
        format,
        required: required.includes(name),
      })),
    } as { parameters: object[] } | undefined,
    post: {
      parameters: [
        { in: 'body', name: 'args', required: true, schema: { properties, required, type: 'object' } },
        { $ref: '#/parameters/preferParams' },
      ],
    } as { parameters: object[] } | undefined,
  };
}

/** The document with something done to it. */
function changed(edit: (document: Sample) => void): OpenApiDocument {
  const copy = structuredClone(stable);
  edit(copy);
  return read(copy);
}

function read(document: unknown): OpenApiDocument {
  const result = readOpenApi(JSON.stringify(document));
  if (!result) throw new Error('the sample is no document of PostgREST');
  return result;
}

const login = (parameters: Record<string, string>, required: readonly string[]) => (to: Sample) => {
  to.paths['/rpc/login'] = rpc(parameters, required);
};

const table: [string, (document: Sample) => void, readonly string[]][] = [
  ['nothing that is alike', () => undefined, []],
  [
    'no descriptions, versions and titles',
    (to) => {
      to.info = { title: 'Todo', description: 'v2', version: '13.0.1' };
      to.definitions.tasks.description = 'Chores';
      to.definitions.tasks.properties.id.description = '';
    },
    [],
  ],
  [
    'no names that each release has of its own',
    (to) => {
      to.definitions.tasks.properties.mood.format = 'api_9d7c8c86.mood';
      Object.assign(to.paths, { '/rpc/pgrst_sentinel_9d7c8c86': to.paths['/rpc/pgrst_sentinel_9602e0b1'] });
      Reflect.deleteProperty(to.paths, '/rpc/pgrst_sentinel_9602e0b1');
    },
    [],
  ],
  [
    'no additions',
    (to) => {
      Object.assign(to.definitions, { people: { properties: { id: { format: 'integer' } } } });
      Object.assign(to.definitions.tasks.properties, { prio: { format: 'integer' } });
      Object.assign(to.paths, { '/people': { get: {} }, '/rpc/logout': rpc({}, []) });
      Object.assign(to.paths['/totals'], { post: {} });
      to.definitions.tasks.properties.mood.enum.push('happy');
      to.definitions.tasks.required = [];
      to.paths['/rpc/login'] = rpc({ email: 'text', pass: 'text', remember: 'boolean', code: 'text' }, [
        'email',
      ]);
    },
    [],
  ],
  [
    'another type that PostgreSQL calls the same',
    (to) => {
      to.definitions.tasks.properties.id.type = 'string';
    },
    [],
  ],
  [
    'a relation that is gone, and nothing more of it',
    (to) => {
      Reflect.deleteProperty(to.definitions, 'tasks');
      Reflect.deleteProperty(to.paths, '/tasks');
    },
    ['View tasks is gone.'],
  ],
  [
    'what a relation does not take any more',
    (to) => {
      Object.assign(to.paths, { '/tasks': { get: {}, patch: {} } });
    },
    ['View tasks does not take insert, delete any more.'],
  ],
  [
    'a column that is gone',
    (to) => {
      Reflect.deleteProperty(to.definitions.tasks.properties, 'due');
    },
    ['Column tasks.due is gone.'],
  ],
  [
    'a column of another type',
    (to) => {
      to.definitions.tasks.properties.due.format = 'timestamp with time zone';
      to.definitions.tasks.properties.kind.maxLength = 5;
    },
    [
      'Column tasks.due has the type timestamp with time zone; it was date.',
      'Column tasks.kind has the type character varying(5); it was character varying(10).',
    ],
  ],
  [
    'labels that a type loses',
    (to) => {
      to.definitions.tasks.properties.mood.enum = ['ok', 'happy'];
    },
    ['Column tasks.mood loses the labels sad.'],
  ],
  [
    'columns that an insert must give from now on',
    (to) => {
      Object.assign(to.definitions.tasks.properties, { owner: { format: 'text' } });
      to.definitions.tasks.required = ['title', 'due', 'owner'];
    },
    [
      'Column tasks.due may not be null, has no default, and must be given when a row is inserted.',
      'Column tasks.owner is new and must be given when a row is inserted.',
    ],
  ],
  [
    'no column that must be given where nothing is inserted',
    (to) => {
      Object.assign(to.definitions.totals, { required: ['n'] });
    },
    [],
  ],
  [
    'a function that is gone',
    (to) => {
      Reflect.deleteProperty(to.paths, '/rpc/login');
    },
    ['Function login is gone.'],
  ],
  [
    'a function that only takes POST',
    (to) => {
      to.paths['/rpc/login'].get = undefined;
    },
    ['Function login does not take GET any more.'],
  ],
  [
    'a parameter that is gone',
    login({ email: 'text', pass: 'text' }, ['email', 'pass']),
    ['Parameter remember of function login is gone: calls that give it are refused.'],
  ],
  [
    'a parameter that has another name',
    login({ mail: 'text', pass: 'text', remember: 'boolean' }, ['mail', 'pass']),
    [
      'Parameter email of function login is gone: calls that give it are refused.',
      'Parameter mail of function login is new and has no default: calls without it are refused.',
    ],
  ],
  [
    'a parameter that has to be given from now on',
    login({ email: 'text', pass: 'text', remember: 'boolean' }, ['email', 'pass', 'remember']),
    ['Parameter remember of function login has lost its default: calls without it are refused.'],
  ],
  [
    'a parameter of another type',
    login({ email: 'text', pass: 'bytea', remember: 'boolean' }, ['email', 'pass']),
    ['Parameter pass of function login has the type bytea; it was text.'],
  ],
  [
    'a parameter without a name',
    login({ '': 'json' }, ['']),
    [
      'Parameter email of function login is gone: calls that give it are refused.',
      'Parameter pass of function login is gone: calls that give it are refused.',
      'Parameter remember of function login is gone: calls that give it are refused.',
      'The parameter of function login is new and has no default: calls without it are refused.',
    ],
  ],
];

describe('comparing two OpenAPI documents tells', () => {
  test.each(table)('%s', (_, edit, sentences) => {
    expect(diffOpenApi(read(stable), changed(edit))).toEqual(sentences);
  });

  test('the parameters of a function that only takes GET', () => {
    const only = (to: Sample): void => {
      to.paths['/rpc/login'].post = undefined;
    };
    const candidate = changed((to) => {
      login({ email: 'text' }, ['email'])(to);
      only(to);
    });
    expect(diffOpenApi(changed(only), candidate)).toEqual([
      'Parameter pass of function login is gone: calls that give it are refused.',
      'Parameter remember of function login is gone: calls that give it are refused.',
    ]);
  });
});

describe('a document', () => {
  test.each(['', 'null', '[]', '{"openapi":"3.1.0"}', '{"code":"PGRST126"}'])('is not %j', (text) => {
    expect(readOpenApi(text)).toBeUndefined();
  });

  test('names nothing where a client may see nothing but the operator’s mark', () => {
    expect(
      namesNothing(read({ swagger: '2.0', paths: { '/': {}, '/rpc/pgrst_sentinel_9602e0b1': {} } })),
    ).toBe(true);
    expect(namesNothing(read(stable))).toBe(false);
  });
});
