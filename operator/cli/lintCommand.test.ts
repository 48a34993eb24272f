import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from './files.ts';
import { lintCommand } from './lintCommand.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgrst-lint-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function run(...args: readonly string[]) {
  const { output, exitCode } = await lintCommand(args, new AbortController().signal);
  return { lines: output.replaceAll(`${folder}/`, '').split('\n').slice(0, -1), exitCode };
}

/** `file:line: level rule`, of each finding. */
async function found(...args: readonly string[]): Promise<readonly string[]> {
  const { lines } = await run(...args);
  return lines.filter((line) => !line.startsWith(' ')).map((line) => line.split(': ').slice(0, 2).join(': '));
}

const drop = 'select 1;\ndrop table t;\n';

describe('.sql files', () => {
  test('each finding has its line, and says why and what to do', async () => {
    const result = await run(file('001.sql', drop));
    expect(result.exitCode).toBe(1);
    expect(result.lines).toHaveLength(3);
    expect(result.lines[0]).toBe(
      '001.sql:2: error ban-drop-table: Dropping a table may break existing clients.',
    );
    expect(result.lines[1]).toMatch(/^ {4}why: /);
    expect(result.lines[2]).toMatch(/^ {4}fix: /);
  });

  test('nothing is said of what is fine', async () => {
    expect(await run(file('001.sql', 'create table t (id int);'))).toEqual({ lines: [], exitCode: 0 });
  });

  test('migrations, contractions and API SQL are judged together', async () => {
    const table = file(
      '001.sql',
      'create table app.t (id int); alter table app.t enable row level security;',
    );
    const contraction = file('c.sql', 'drop table app.u cascade');
    const a = file('a.sql', '\ncreate view v1.a with (security_invoker) as select 1;\n');
    const b = file('b.sql', '\ncreate view v1.b as select * from app.t;\n');
    expect(
      await found(table, '--api', a, '--api', b, '--contraction', contraction, '--schema', 'v1'),
    ).toEqual(['c.sql:1: error pgrst/drop-cascade', 'b.sql:2: error pgrst/view-bypasses-row-security']);
  });

  test('files of the same name are two', async () => {
    expect(await found(file('x.sql', drop), file('x.sql', drop))).toHaveLength(2);
  });

  test('what is applied is no new table, and not reported', async () => {
    const first = file('001.sql', 'create table t (id int); drop table old;');
    const second = file('002.sql', 'create index i on t (id);');
    expect(await found(first, second)).toEqual(['001.sql:1: error ban-drop-table']);
    expect(await found(first, second, '--applied', '001')).toEqual([
      '002.sql:1: warning require-concurrent-index-creation',
    ]);
  });

  test('a warning fails when it is said to', async () => {
    const index = file('001.sql', 'create index i on t (id)');
    expect(await run(index)).toMatchObject({ exitCode: 0 });
    expect(await run(index, '--fail-on', 'warning')).toMatchObject({ exitCode: 1 });
  });

  test('as JSON, and as annotations of GitHub', async () => {
    const path = file('001.sql', drop);
    const json = await lintCommand([path, '--format', 'json'], new AbortController().signal);
    expect(JSON.parse(json.output)).toMatchObject([
      { file: path, line: 2, rule: 'ban-drop-table', source: '001', statement: 2, level: 'error' },
    ]);
    const { lines } = await run(path, '--format', 'github');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^::error file=001\.sql,line=2,title=ban-drop-table::Dropping a table /);
  });
});

const manifest = `kind: ConfigMap
metadata: {name: sql, namespace: x}
data:
  index: |
    -- an index
    create index i on t (id);
  view: "create view v as select 1"
---
apiVersion: pgrst.dev/v1alpha1
kind: ApiSchema
metadata: {name: tasks, namespace: x}
spec:
  database: {uriSecretRef: {name: s, key: uri}}
  schema: api
  baseline: 001-t
  migrations:
    - name: 001-t
      sql: |
        create table t (id int);
    - name: 002-u
      sql: |

        drop table u;
      lint: {ignore: [{rule: ban-drop-table, reason: it was never used}]}
    - name: 003-w
      sql: |
        select 1;
        drop table w;
    - {name: 004-i, sqlFrom: {configMapKeyRef: {name: sql, key: index}}}
  api:
    sqlFrom: [{configMapKeyRef: {name: sql, key: view}}]
`;

describe('manifests', () => {
  test('an ApiSchema is judged whole, with the lines of its file', async () => {
    expect(await found(file('a.yaml', manifest))).toEqual([
      'a.yaml:28: error ban-drop-table',
      'a.yaml:6: warning require-concurrent-index-creation',
      'a.yaml:7: error pgrst/outside-exposed-schema',
    ]);
  });

  test('what it says of the lint counts', async () => {
    const lenient = manifest.replace(
      '  schema: api\n',
      '  schema: api\n  lint: {failOn: Warning, ignore: [{rule: ban-drop-table, reason: x}, {rule: pgrst/outside-exposed-schema, reason: x}]}\n',
    );
    expect(await run(file('a.yaml', lenient))).toMatchObject({ exitCode: 1, lines: { length: 3 } });
    expect(await run(file('a.yaml', lenient), '--fail-on', 'error')).toMatchObject({ exitCode: 0 });
  });
});

test.each([
  ['nothing to judge', []],
  ['an unknown option', ['--nope']],
  ['an unknown format', ['a.sql', '--format', 'xml']],
  ['an unknown level', ['a.sql', '--fail-on', 'info']],
  ['a file that is not there', ['nowhere.sql']],
  ['a migration that is not there', ['FOLDER/good.sql', '--applied', '007']],
  ['a manifest that is no YAML', ['FOLDER/bad.yaml']],
  ['a manifest without an ApiSchema', ['FOLDER/other.yaml']],
  ['an ApiSchema that breaks its schema', ['FOLDER/invalid.yaml']],
  ['a ConfigMap that is in none of the files', ['FOLDER/missing.yaml']],
])('%s is wrong usage', async (_, args) => {
  file('good.sql', 'select 1');
  file('bad.yaml', 'a: [');
  file('other.yaml', 'kind: Secret\nmetadata: {name: x}\n');
  file('invalid.yaml', 'kind: ApiSchema\nmetadata: {name: x}\nspec: {schema: public}\n');
  file('missing.yaml', manifest.slice(manifest.indexOf('---')));
  const real = args.map((arg) => arg.replace('FOLDER', folder));
  await expect(run(...real)).rejects.toBeInstanceOf(UsageError);
});
