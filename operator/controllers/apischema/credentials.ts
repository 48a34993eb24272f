import { createHmac } from 'node:crypto';
import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import type { KubeObject } from '../../runtime/object.ts';
import type { Connection, Missing } from './world.ts';

interface SecretRef {
  readonly name: string;
  readonly key: string;
}

/** What `readConnection` works with. */
export interface CredentialsDeps {
  readonly client: KubeClient;
  /** Key of the tokens that tell credentials apart; random for each process. */
  readonly salt: Uint8Array;
}

/** Reads every Secret that the spec names, by name: where the database is, and what its SQL and its roles need. */
export async function readConnection(
  spec: ApiSchemaSpec,
  namespace: string,
  { client, salt }: CredentialsDeps,
  signal: AbortSignal,
): Promise<Connection> {
  const read = secretReader(namespace, client, signal);
  const { uriSecretRef, tls } = spec.database;
  const uri = await read(uriSecretRef, "the database's URI", 'spec.database.uriSecretRef');
  if (typeof uri !== 'string') return uri;
  const ca =
    tls?.caSecretRef && (await read(tls.caSecretRef, 'the certificates', 'spec.database.tls.caSecretRef'));
  if (typeof ca === 'object') return ca;
  const passwords = new Map<string, string>();
  for (const { name, passwordSecretRef } of spec.roles) {
    if (passwordSecretRef === undefined) continue;
    const password = await read(passwordSecretRef, `the password of role ${name}`, 'spec.roles');
    if (typeof password !== 'string') return password;
    passwords.set(name, password);
  }
  const secrets: { name: string; value: string }[] = [];
  for (const { name, secretKeyRef } of spec.secrets) {
    const value = await read(secretKeyRef, `the value of ${name}`, 'spec.secrets');
    if (typeof value !== 'string') return value;
    secrets.push({ name, value });
  }
  const found = {
    uri,
    ...(tls === undefined ? {} : { tls: { mode: tls.mode, ...(ca === undefined ? {} : { ca }) } }),
    passwords,
    secrets,
  };
  const all = JSON.stringify({ ...found, passwords: [...passwords] });
  return { kind: 'found', ...found, token: createHmac('sha256', salt).update(all).digest('hex') };
}

function secretReader(namespace: string, client: KubeClient, signal: AbortSignal) {
  const read = new Map<string, KubeObject | undefined>();
  return async ({ name, key }: SecretRef, what: string, field: string): Promise<string | Missing> => {
    if (!read.has(name))
      read.set(name, await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name }, signal));
    const secret = read.get(name);
    const encoded = (secret?.['data'] as Readonly<Record<string, string>> | undefined)?.[key];
    if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString('utf8');
    return {
      kind: 'missing',
      reason: 'SecretNotFound',
      message:
        secret === undefined
          ? `Secret ${name} does not exist: create it with ${what} under the key ${key}, or correct ${field}.`
          : `Secret ${name} has no key ${key}: add ${what} under it, or correct ${field}.`,
    };
  };
}
