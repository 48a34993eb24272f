import { durationMs } from '../../api/v1alpha1/shared.ts';
import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { breathe } from '../../database/breathe.ts';
import { sqlChecksum } from '../../migration/checksum.ts';
import { withoutBom } from '../../migration/textProblem.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import type { KubeObject } from '../../runtime/object.ts';
import type { LaneEntry } from './lane.ts';
import type { Missing, Sources } from './world.ts';

interface SqlParts {
  readonly sql?: string | undefined;
  readonly sqlFrom?: readonly { readonly configMapKeyRef: { name: string; key: string } }[] | undefined;
}

/** So many migrations are looked at before the event loop turns; a few milliseconds. */
const entriesInOneTurn = 500;

type Lane = ApiSchemaSpec['contractions'] | ApiSchemaSpec['migrations'];

/** Reads all SQL of the spec, each ConfigMap once, and computes the checksums that a decision needs. */
export async function readSources(
  spec: ApiSchemaSpec,
  namespace: string,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Sources> {
  const readKey = configMapReader(namespace, client, signal);

  const joined = async ({ sql, sqlFrom = [] }: SqlParts): Promise<string | Missing> => {
    const parts = sql === undefined ? [] : [sql];
    for (const { configMapKeyRef } of sqlFrom) {
      const text = await readKey(configMapKeyRef);
      if (typeof text !== 'string') return text;
      parts.push(withoutBom(text));
    }
    // A part that does not end its last line or statement must not run into the next one.
    return parts.join('\n');
  };
  const lane = async (entries: Lane): Promise<readonly LaneEntry[] | Missing> => {
    const list: LaneEntry[] = [];
    for (const entry of entries) {
      const sql = entry.sql ?? (await readKey(entry.sqlFrom?.configMapKeyRef ?? { name: '', key: '' }));
      if (typeof sql !== 'string') return sql;
      list.push({
        name: entry.name,
        sql,
        checksum: sqlChecksum(sql),
        ...('idempotent' in entry && entry.idempotent === true ? { idempotent: true } : {}),
        ...(entry.lint === undefined ? {} : { ignore: entry.lint.ignore }),
        ...(entry.statementTimeout === undefined
          ? {}
          : { statementTimeoutMs: durationMs(entry.statementTimeout) }),
      });
      if (list.length % entriesInOneTurn === 0) await breathe();
    }
    return list;
  };

  const migrations = await lane(spec.migrations);
  if ('kind' in migrations) return migrations;
  const contractions = await lane(spec.contractions);
  if ('kind' in contractions) return contractions;
  const apiSql = await joined(spec.api);
  if (typeof apiSql !== 'string') return apiSql;
  const tests = spec.tests && (await joined(spec.tests));
  if (typeof tests === 'object') return tests;
  await breathe();
  const apiChecksum = sqlChecksum(apiSql);
  await breathe();
  return {
    kind: 'found',
    migrations,
    contractions,
    apiSql,
    apiChecksum,
    ...(tests === undefined ? {} : { tests }),
  };
}

function configMapReader(namespace: string, client: KubeClient, signal: AbortSignal) {
  const configMaps = new Map<string, KubeObject | undefined>();
  return async ({ name, key }: { name: string; key: string }): Promise<string | Missing> => {
    if (!configMaps.has(name))
      configMaps.set(
        name,
        await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }, signal),
      );
    const configMap = configMaps.get(name);
    const data = configMap?.['data'] as Readonly<Record<string, string>> | undefined;
    const binary = configMap?.['binaryData'] as Readonly<Record<string, string>> | undefined;
    const text = data?.[key] ?? decoded(binary?.[key]);
    if (text !== undefined) return text;
    const what =
      configMap === undefined ? `ConfigMap ${name} does not exist` : `ConfigMap ${name} has no key ${key}`;
    return {
      kind: 'missing',
      reason: 'ConfigMapNotFound',
      message: `${what}: create it with the SQL under the key ${key}, or correct the reference in the spec.`,
    };
  };
}

function decoded(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
}
