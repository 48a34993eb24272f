import type { ExposeRoute } from '../api/v1alpha1/apiInstanceExpose.ts';

/** Where the part of nginx.conf is that `startScript` writes. */
export const resolverFile = '/tmp/resolver.conf';

/**
 * Starts a gate whose routes lead to other Services. nginx looks names up while it runs only where its configuration
 * names a DNS server, and which one that is only the pod knows. The first search domain of a pod is
 * `<namespace>.svc.<cluster domain>`. Without a DNS server in the file these routes answer 502, and all others serve.
 */
export const startScript = `set -f
read_line() {
  case $1 in
    nameserver)
      case $2 in
        *%*) ;; # an address of one network interface, which nginx cannot take
        *:*) servers="$servers [$2]" ;;
        *) servers="$servers $2" ;;
      esac
      ;;
    search)
      for domain in "$@"; do
        case $domain in *.svc.*) services=\${services:-$domain} ;; esac
      done
      ;;
  esac
}
while read -r line || [ -n "$line" ]; do read_line $line; done < /etc/resolv.conf
{
  # A Service that was made anew has another address: no answer is kept for longer than this.
  if [ -n "$servers" ]; then echo "resolver$servers valid=5s;"; fi
  echo "map '' \\$services { default '$services'; }"
} > ${resolverFile}
exec nginx "$@"
`;

/** A map of nginx.conf from the URI that a client asked for, byte for byte as it was written. */
interface UriMap {
  readonly default: string;
  /** Regular expressions and their values; the first one that fits counts. */
  readonly entries: readonly (readonly [pattern: string, value: string])[];
}

/**
 * `$inner_uri`: the URI that PostgREST sees, without the path prefix, and empty outside of it. A route leads elsewhere:
 * the longest that fits wins, what lies below it is appended, and the query goes along.
 */
export function innerUri(prefix: string, routes: readonly ExposeRoute[] = []): UriMap {
  const routed = byLength(routes).flatMap(({ path, to }) => {
    if (to === undefined) return [];
    const base = to.replace(/\/+$/, '');
    return entriesFor(`${prefix}${path}`, `${base}$below`, `${to}$query`);
  });
  if (prefix === '') return { default: '$request_uri', entries: routed };
  return { default: '""', entries: [...routed, ...entriesFor(prefix, '$below', '/$query')] };
}

/** `$service`: host and port of the Service that answers instead of PostgREST; empty where PostgREST does. */
export function serviceMap(prefix: string, routes: readonly ExposeRoute[]): UriMap {
  return {
    default: '""',
    // Those that lead to PostgREST are in it too: a longer one of them may lie below one that leads to a Service.
    entries: byLength(routes).map(({ path, service }) => [
      `^${literal(`${prefix}${path}`)}([/?]|$)`,
      service ? `${service.name}.$services:${service.port}` : '""',
    ]),
  };
}

/** Whether any route leads to another Service. */
export function hasServices(routes: readonly ExposeRoute[] = []): boolean {
  return routes.some(({ service }) => service !== undefined);
}

/** The text of a map for nginx.conf. */
export function mapText(name: string, map: UriMap): string {
  if (map.entries.length === 0) return `  map "" $${name} { default ${map.default}; }`;
  const lines = map.entries.map(([pattern, value]) => `    "~${pattern}" ${value};\n`);
  return `  map $request_uri $${name} {\n    default ${map.default};\n${lines.join('')}  }`;
}

/** Where two routes fit, one lies below the other and is longer. */
function byLength(routes: readonly ExposeRoute[]): readonly ExposeRoute[] {
  return [...routes].sort((a, b) => b.path.length - a.path.length);
}

function entriesFor(path: string, below: string, whole: string): (readonly [string, string])[] {
  const pattern = literal(path);
  return [
    [`^${pattern}(?<below>/.*)$`, below],
    [`^${pattern}(?<query>\\?.*)?$`, whole],
  ];
}

/** A path as a regular expression: of the characters that it may have only the dot means something there. */
function literal(path: string): string {
  return path.replaceAll('.', '\\.');
}
