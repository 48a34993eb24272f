import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { readDatabaseUri } from '../api/v1alpha1/databaseUri.ts';
import { readCertificates } from './certificates.ts';
import { RunFailure } from './runFailure.ts';

/** A libpq URI taken apart. */
export interface DatabaseTarget {
  readonly config: ClientConfig;
  /** TLS settings to try, in this order; false is plain text. */
  readonly tls: readonly (ConnectionOptions | false)[];
}

/** How a connection is encrypted: `spec.database.tls`. */
export interface TlsSettings {
  /** As libpq's sslmode. */
  readonly mode: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  /** Certificates of authorities (PEM) for the modes verify-ca and verify-full; absent: those that Node.js trusts. */
  readonly ca?: string;
}

/**
 * Where a libpq URI leads. `sslmode` means what it means to libpq
 * (https://www.postgresql.org/docs/current/libpq-ssl.html): without one, TLS is preferred but not required. pg's own
 * reading of it differs, so it is not left to pg. `tls` counts instead of what the URI says about it. Throws a
 * RunFailure SecretInvalid, without the value, for what we cannot use.
 */
export function connectionTarget(text: string, tls?: TlsSettings): DatabaseTarget {
  const uri = readDatabaseUri(text);
  if ('error' in uri) throw invalid(uri.error);
  const { host, port, user, password, database, sslmode, parameters } = uri;
  const rootCertificate = tls === undefined ? parameters['sslrootcert'] : undefined;
  const file = clientFiles.find((name) => parameters[name] !== undefined);
  if (file !== undefined)
    throw invalid(`it uses ${file}, which names a file on the client: the operator has no such files.`);
  return {
    config: { host, port, user, password, database, options: parameters['options'] ?? '' },
    tls: tlsChoices(
      tls?.mode ?? sslmode,
      rootCertificate,
      tls?.ca === undefined ? {} : { ca: readCertificates(tls.ca) },
    ),
  };
}

const clientFiles = ['sslcert', 'sslkey', 'sslcrl', 'passfile', 'service'];

function tlsChoices(
  mode: string | undefined,
  rootCertificate: string | undefined,
  trusted: ConnectionOptions,
): readonly (ConnectionOptions | false)[] {
  if (rootCertificate !== undefined && rootCertificate !== 'system')
    throw invalid(
      'it uses sslrootcert with a file: the operator has no such file. Put the certificate into a Secret and name it in spec.database.tls.caSecretRef; of sslrootcert only the value system works.',
    );
  const unverified: ConnectionOptions = { rejectUnauthorized: false };
  switch (mode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, unverified];
    case 'require':
      return rootCertificate === undefined ? [unverified] : [{}];
    case 'verify-ca':
      return [{ ...trusted, checkServerIdentity: () => undefined }];
    case 'verify-full':
      return [trusted];
    default:
      return [unverified, false]; // prefer
  }
}

function invalid(why: string): RunFailure {
  return new RunFailure('SecretInvalid', `The database URI in the Secret cannot be used: ${why}`);
}
