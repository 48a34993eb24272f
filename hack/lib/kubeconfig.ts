import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { KeyPair } from './pki.ts';

/** Writes a kubeconfig that carries its certificates inside, so that it can be copied. */
export function writeKubeconfig(
  path: string,
  access: { server: string; authority: string; client: KeyPair; name: string; user?: string },
): void {
  const inline = (file: string): string => readFileSync(file).toString('base64');
  const { name, user = 'admin' } = access;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      { name, cluster: { server: access.server, 'certificate-authority-data': inline(access.authority) } },
    ],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': inline(access.client.cert),
          'client-key-data': inline(access.client.key),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
  };
  writeFileSync(path, stringify(config), { mode: 0o600 });
}
