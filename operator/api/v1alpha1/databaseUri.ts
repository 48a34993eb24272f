/** What the value behind a `uriSecretRef` says. */
export interface DatabaseUri {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Empty when there is none. */
  readonly password: string;
  readonly sslmode: string | undefined;
  /** Every parameter behind the question mark, by name. */
  readonly parameters: Readonly<Record<string, string>>;
}

const sslmodes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

/**
 * Reads a libpq URI of the form postgres://user:password@host:port/database?parameters
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS). The error is the end of a sentence
 * and holds nothing of the URI.
 */
export function readDatabaseUri(text: string): DatabaseUri | { readonly error: string } {
  const uri = URL.parse(text.trim());
  if (!uri || !/^postgres(ql)?:$/.test(uri.protocol)) {
    return {
      error:
        'it is no URI of the form postgres://user:password@host:port/database; write / # ? @ % in user and password as %2F %23 %3F %40 %25.',
    };
  }
  const parts = decode([uri.hostname, uri.username, uri.password, uri.pathname.slice(1)]);
  if (!parts) return { error: 'it holds a % that begins no escape: write it as %25.' };
  const [hostname = '', username = '', secret = '', path = ''] = parts;
  // A parameter beats the part of the URI that says the same.
  const parameter = (name: string): string | undefined => uri.searchParams.get(name) ?? undefined;
  const host = (parameter('host') ?? hostname).replace(/^\[(.*)\]$/, '$1');
  const port = Number(parameter('port') ?? (uri.port || '5432'));
  const user = parameter('user') ?? username;
  const password = parameter('password') ?? secret;
  const database = (parameter('dbname') ?? path) || user;
  const sslmode = parameter('sslmode');
  if (host === '' || host.includes(',')) return { error: 'it must name exactly one host.' };
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return { error: 'its port is no port.' };
  if (user === '') return { error: 'it names no user.' };
  if (sslmode !== undefined && !sslmodes.includes(sslmode)) {
    return { error: `its sslmode is none of ${sslmodes.join(', ')}.` };
  }
  // They mean nothing in any of these, and would end a line of a configuration file.
  if ([host, user, password, database].some((part) => /\p{Cc}/u.test(part))) {
    return { error: 'it holds control characters.' };
  }
  return { host, port, database, user, password, sslmode, parameters: Object.fromEntries(uri.searchParams) };
}

function decode(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map((part) => decodeURIComponent(part));
  } catch {
    return undefined;
  }
}
