/** What a libpq URI says. */
export interface DatabaseUri {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly sslmode: string | undefined;
}

/**
 * Reads a libpq URI of the form postgres://user:password@host:port/database?parameters
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS). The error is a sentence that holds
 * nothing of the URI.
 */
export function parseDatabaseUri(text: string): DatabaseUri | { readonly error: string } {
  const uri = URL.parse(text.trim());
  if (!uri || !/^postgres(ql)?:$/.test(uri.protocol)) {
    return { error: 'it is no URI of the form postgres://user:password@host:port/database.' };
  }
  const parts = decode([uri.username, uri.password, uri.pathname.slice(1)]);
  if (!parts) return { error: 'it holds a broken %-escape: encode user and password for a URI.' };
  const [user = '', password = '', database = ''] = parts;
  if (uri.hostname === '' || uri.hostname.includes(',')) return { error: 'it must name exactly one host.' };
  if (user === '') return { error: 'it names no user.' };
  if (password === '') return { error: 'it holds no password.' };
  if (database === '' || database.includes('/')) return { error: 'it names no database.' };
  return {
    host: uri.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: uri.port === '' ? 5432 : Number(uri.port),
    database,
    user,
    password,
    sslmode: uri.searchParams.get('sslmode') ?? undefined,
  };
}

function decode(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map((part) => decodeURIComponent(part));
  } catch {
    return undefined;
  }
}
