import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { RunFailure } from './runFailure.ts';

/** A libpq URI taken apart. */
export interface DatabaseTarget {
  readonly config: ClientConfig;
  /** TLS settings to try, in this order; false is plain text. */
  readonly tls: readonly (ConnectionOptions | false)[];
}

/**
 * Takes a libpq URI apart. `sslmode` means what it means to libpq (https://www.postgresql.org/docs/current/libpq-ssl.html):
 * without one, TLS is preferred but not required. pg's own reading of it differs, so it is not left to pg.
 * Throws a RunFailure SecretInvalid, without the value, for what we cannot use.
 */
export function parseDatabaseUri(uri: string): DatabaseTarget {
  const url = parseUrl(uri.trim());
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  for (const name of ['sslcert', 'sslkey', 'sslcrl', 'passfile', 'service'])
    if (parameter(name) !== undefined)
      throw invalid(`uses ${name}, which names a file on the client: the operator has no such files`);
  const host = parameter('host') ?? decode(url.hostname).replace(/^\[(.*)\]$/, '$1');
  if (host === '' || host.includes(',')) throw invalid('must name exactly one host');
  const user = parameter('user') ?? decode(url.username);
  if (user === '') throw invalid('names no user');
  const database = parameter('dbname') ?? decode(url.pathname.slice(1));
  return {
    config: {
      host,
      port: Number(parameter('port') ?? (url.port || '5432')),
      user,
      password: parameter('password') ?? decode(url.password),
      database: database === '' ? user : database,
      options: parameter('options') ?? '',
    },
    tls: tlsChoices(parameter('sslmode') ?? 'prefer', parameter('sslrootcert')),
  };
}

function tlsChoices(
  mode: string,
  rootCertificate: string | undefined,
): readonly (ConnectionOptions | false)[] {
  if (rootCertificate !== undefined && rootCertificate !== 'system')
    throw invalid(
      'uses sslrootcert with a file: the operator has no such file; only sslrootcert=system works',
    );
  const unverified: ConnectionOptions = { rejectUnauthorized: false };
  switch (mode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, unverified];
    case 'prefer':
      return [unverified, false];
    case 'require':
      return rootCertificate === undefined ? [unverified] : [{}];
    case 'verify-ca':
      return [{ checkServerIdentity: () => undefined }];
    case 'verify-full':
      return [{}];
    default:
      throw invalid(`has the unknown sslmode ${JSON.stringify(mode)}`);
  }
}

function parseUrl(uri: string): URL {
  // The URL class quotes its input in its errors: the password must not get into ours.
  if (!/^postgres(ql)?:\/\//.test(uri) || !URL.canParse(uri))
    throw invalid(
      'is not of the form postgres://user:password@host:port/database; characters such as / # ? @ in the password must be percent-encoded',
    );
  return new URL(uri);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('holds a % that begins no percent-encoding: write it as %25');
  }
}

function invalid(what: string): RunFailure {
  return new RunFailure('SecretInvalid', `The database URI in the Secret ${what}.`);
}
