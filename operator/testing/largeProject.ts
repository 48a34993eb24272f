import type { KubeObject } from '../runtime/object.ts';

/** How large a project is. */
export interface ProjectSize {
  readonly migrations: number;
  readonly views: number;
  /** API SQL, in bytes; each view is followed by a comment that makes it so long. */
  readonly apiBytes: number;
  /** What one ConfigMap holds at most, in bytes. */
  readonly configMapBytes: number;
}

/** Where the project is, and what its objects are called. */
export const projectRef = { namespace: 'shop', name: 'large' } as const;

const tableEvery = 10;

/**
 * An ApiSchema and all that it refers to: the migrations and the API SQL are spread over ConfigMaps, because an object of
 * etcd has 1.5 MiB. The last view shows `version`, so that another version is another release.
 */
export function largeProject(size: ProjectSize, uri: string, version: number): readonly KubeObject[] {
  const { namespace, name } = projectRef;
  const migrations = spread(
    'migrations',
    Array.from({ length: size.migrations }, (_, n) => migration(n)),
    size,
  );
  const api = spread('api', apiParts(size, version), size);
  const spec = {
    database: { uriSecretRef: { name, key: 'uri' } },
    schema: 'api',
    migrations: migrations.refs.map((configMapKeyRef) => ({
      name: configMapKeyRef.key,
      sqlFrom: { configMapKeyRef },
    })),
    api: { sqlFrom: api.refs.map((configMapKeyRef) => ({ configMapKeyRef })) },
  };
  return [
    {
      apiVersion: 'pgrst.dev/v1alpha1',
      kind: 'ApiSchema',
      metadata: { name, namespace, finalizers: ['pgrst.dev/finalizer'] },
      spec,
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      data: { uri: Buffer.from(uri).toString('base64') },
    },
    ...migrations.configMaps,
    ...api.configMaps,
  ];
}

/** SQL of one migration: ten make a table, its columns and an index on it. */
function migration(n: number): string {
  const table = `public.t${String(Math.floor(n / tableEvery))}`;
  const comment = `-- Step ${String(n)}: what it is for, in a line.\n`;
  if (n % tableEvery === 0)
    return `${comment}create table ${table} (id bigint primary key, note text not null default '');\ngrant select on ${table} to public;\n`;
  if (n % tableEvery === tableEvery - 1) return `${comment}create index on ${table} (note);\n`;
  return `${comment}alter table ${table} add column c${String(n % tableEvery)} integer;\ncomment on column ${table}.c${String(n % tableEvery)} is 'column ${String(n)}';\n`;
}

/** The API SQL, cut between statements into parts that fit into a ConfigMap each. */
function apiParts({ views, migrations, apiBytes, configMapBytes }: ProjectSize, version: number): string[] {
  const tables = Math.max(1, Math.floor(migrations / tableEvery));
  // Lines are joined with one byte each.
  const length = Math.floor(apiBytes / views) - 1;
  const parts: string[] = [];
  let part: string[] = [];
  let bytes = 0;
  for (let n = 0; n < views; n += 1) {
    const view = viewSql(n, n % tables, n === views - 1 ? version : 0).padEnd(length, '.');
    if (bytes + view.length > configMapBytes - 1024) {
      parts.push(part.join('\n'));
      part = [];
      bytes = 0;
    }
    part.push(view);
    bytes += view.length + 1;
  }
  return [...parts, part.join('\n')];
}

function viewSql(n: number, table: number, version: number): string {
  const columns = Array.from(
    { length: 6 },
    (_, c) => `coalesce(t.note, '${String(c)}') as "Spalte ${String(c)}"`,
  );
  return `create view api.view_${String(n)} with (security_invoker) as
select t.id, ${columns.join(', ')},
       case when t.note = '' then 'done' else ';' end as state, ${String(version)} as version
  from public.t${String(table)} t;
grant select on api.view_${String(n)} to public;
-- `;
}

interface Spread {
  readonly configMaps: readonly KubeObject[];
  /** Where each text is, in their order. */
  readonly refs: readonly { readonly name: string; readonly key: string }[];
}

function spread(prefix: string, texts: readonly string[], { configMapBytes }: ProjectSize): Spread {
  const { namespace } = projectRef;
  const maps: Record<string, string>[] = [];
  let bytes = configMapBytes;
  const refs = texts.map((text, index) => {
    const key = `${String(index).padStart(4, '0')}-${prefix}`;
    if (bytes + text.length > configMapBytes - 1024) {
      maps.push({});
      bytes = 0;
    }
    bytes += text.length + key.length;
    Object.assign(maps.at(-1) ?? {}, { [key]: text });
    return { name: `${prefix}-${String(maps.length - 1)}`, key };
  });
  return {
    refs,
    configMaps: maps.map((data, index) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${prefix}-${String(index)}`, namespace },
      data,
    })),
  };
}
