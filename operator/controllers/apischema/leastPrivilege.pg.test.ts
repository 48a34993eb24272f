import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropReleases } from '../../database/dropReleases.ts';
import { apply, applyRequest, releaseOf, testPatience } from '../../testing/applyFixture.ts';
import { createDocumentedDatabase, type DocumentedDatabase } from '../../testing/documentedDatabase.ts';
import { plantTraps, springTraps } from '../../testing/traps.ts';

let db: DocumentedDatabase;
beforeEach(async () => {
  db = await createDocumentedDatabase();
});
afterEach(async () => {
  await db.drop();
});

const migrations = [
  {
    name: '001-data',
    sql: `create schema data;
          create table data.tasks (
            id int primary key, title pg_catalog.text not null default 'a', done boolean not null default false);
          insert into data.tasks values (1, 'write');
          create function data.touch() returns trigger language plpgsql as $$ begin return new; end $$;
          create trigger touch before update on data.tasks for each row execute function data.touch();
          alter table data.tasks enable row level security;`,
  },
  { name: '002-index', sql: 'create index tasks_done on data.tasks (done)' },
];

const apiSql = `
  create view api.tasks with (security_invoker) as select id, title from data.tasks;
  create function api.hello() returns pg_catalog.text language sql stable as 'select title from api.tasks';
  comment on view api.tasks is 'Tasks';`;

function request(changes: Parameters<typeof applyRequest>[1] = {}): ReturnType<typeof applyRequest> {
  return applyRequest(db.uri(db.names.app_owner), { migrations, apiSql, ...changes });
}

async function drop(): Promise<unknown> {
  const context = { signal: new AbortController().signal, progress: () => undefined, patience: testPatience };
  return await dropReleases(request(), context);
}

describe('the rights that docs/how-to/database-role.md gives the owner', () => {
  test('are enough for migrations, releases, another look, another release and the end', async () => {
    await db.runDocumented('hardening');
    await db.runDocumented('authenticator');
    const granting = `${apiSql} grant usage on schema api to ${db.names.web_anon};
                      grant select on api.tasks to ${db.names.web_anon};`;
    const first = releaseOf(await apply(request({ apiSql: granting })));
    expect(releaseOf(await apply(request({ apiSql: granting })))).toBe(first);
    const second = releaseOf(
      await apply(request({ apiSql: `${granting} create view api.more as select 1 as one;` })),
    );
    expect(second).not.toBe(first);
    expect(await drop()).toEqual({ kind: 'dropped' });
    expect(await db.query('select title from data.tasks', db.names.app_owner)).toEqual([{ title: 'write' }]);
  });

  test('are enough with secrets, and with spec.roles after its own block', async () => {
    const roles = [
      { name: db.names.authenticator, login: true, password: 's3cret', memberOf: [db.names.web_anon] },
      { name: db.names.web_anon, login: false, memberOf: [] },
    ];
    const secrets = [{ name: 'jwt', value: 's3cret' }];
    expect(await apply(request({ roles, secrets }))).toMatchObject({
      kind: 'blocked',
      reason: 'RoleRefused',
    });
    await db.runDocumented('roles');
    releaseOf(await apply(request({ roles, secrets })));
    await db.query(`alter role ${db.names.app_owner} nocreaterole`);
    releaseOf(await apply(request({ roles, secrets: [{ name: 'jwt', value: 'another' }] })));
    expect(await db.query("select pgrst_ledger.secret('jwt')", db.names.app_owner)).toEqual([
      { secret: 'another' },
    ]);
  });

  test('are no more than it needs', async () => {
    await db.query(`revoke create on database ${db.names.app} from ${db.names.app_owner}`);
    await expect(apply(request())).rejects.toThrow(/^SecretInvalid: .*CREATE on the database/);
    await db.query(`revoke connect on database ${db.names.app} from ${db.names.app_owner}`);
    await expect(apply(request())).rejects.toThrow(/permission denied for database/);
  });
});

describe('a function of a release', () => {
  const readers = `
    create function api.login() returns text language sql security definer set search_path = pg_catalog
      as $$ select 'definer ' || pgrst_ledger.secret('jwt') $$;
    create function api.atomic() returns text language sql security definer set search_path = pg_catalog
      begin atomic select 'atomic ' || pgrst_ledger.secret('jwt'); end;
    create function api.invoker() returns text language plpgsql set search_path = pg_catalog
      as $$ begin return 'invoker ' || pgrst_ledger.secret('jwt'); end $$;
    create view api.over as select pgrst_ledger.secret('jwt') as value;`;

  test('reads secrets as SECURITY DEFINER, and nobody does in any other way', async () => {
    await db.runDocumented('authenticator');
    const grants = `grant usage on schema api to ${db.names.web_anon}; grant select on api.over to ${db.names.web_anon};`;
    const changes = { apiSql: readers + grants, secrets: [{ name: 'jwt', value: 's3cret' }] };
    const schema = `api_${releaseOf(await apply(request(changes)))}`;
    await db.query(`
      alter role ${db.names.web_anon} login password '${db.tag}';
      grant connect on database ${db.names.app} to ${db.names.web_anon}`);
    const ask = async (sql: string): Promise<unknown> => {
      const rows = await db.query<{ value: unknown }>(sql, db.names.web_anon);
      return rows[0]?.value;
    };
    expect(await ask(`select ${schema}.login() as value`)).toBe('definer s3cret');
    expect(await ask(`select ${schema}.atomic() as value`)).toBe('atomic s3cret');
    for (const sql of [
      "select pgrst_ledger.secret('jwt')",
      'select value from pgrst_ledger.secrets',
      'copy pgrst_ledger.secrets to stdout',
      'select verifier from pgrst_ledger.roles',
      `select ${schema}.invoker()`,
      // A view checks functions as whoever asks, whoever owns it.
      `select value from ${schema}.over`,
    ])
      await expect(ask(sql), sql).rejects.toThrow(/permission denied/);
  });
});

describe('what others have planted where the owner looks', () => {
  test('is never called by the SQL of the operator', async () => {
    await plantTraps(db);
    const first = await apply(request({ secrets: [{ name: 'jwt', value: 's3cret' }] }));
    releaseOf(first);
    releaseOf(await apply(request({ secrets: [{ name: 'jwt', value: 'another' }] })));
    releaseOf(
      await apply(request({ apiSql: `${apiSql} create view api.more as select 1 as one;`, drift: 'Block' })),
    );
    expect(await drop()).toEqual({ kind: 'dropped' });
    expect(await springTraps(db)).toEqual({ before: 0, after: 1 });
  });
});
