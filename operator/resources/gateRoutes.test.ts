import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExposeRoute } from '../api/v1alpha1/apiInstanceExpose.ts';
import { innerUri, resolverFile, serviceMap, startScript } from './gateRoutes.ts';

/** What nginx makes of a map: the first regular expression that fits, by JavaScript's own. */
function evaluate(map: ReturnType<typeof innerUri>, requestUri: string): string {
  const fill = (text: string, groups: Record<string, string | undefined>): string =>
    text === '""' ? '' : text.replace(/\$([a-z_]+)/g, (_, name: string) => groups[name] ?? '');
  for (const [pattern, value] of map.entries) {
    const match = new RegExp(pattern).exec(requestUri);
    if (match) return fill(value, { services: 'shop.svc', ...match.groups });
  }
  return fill(map.default, { request_uri: requestUri });
}

interface Answer {
  readonly inner: string;
  readonly service: string;
}

function mapped(prefix: string, routes: readonly ExposeRoute[], requestUri: string): Answer {
  const service = evaluate(serviceMap(prefix, routes), requestUri);
  return { service, inner: service === '' ? evaluate(innerUri(prefix, routes), requestUri) : '' };
}

/** The same said plainly. */
function reference(prefix: string, routes: readonly ExposeRoute[], requestUri: string): Answer {
  const [path = '', ...rest] = requestUri.split('?');
  const query = rest.length > 0 ? `?${rest.join('?')}` : '';
  const isBelow = (base: string) => path === base || path.startsWith(`${base}/`);
  if (!isBelow(prefix)) return { inner: '', service: '' };
  let best: ExposeRoute | undefined;
  for (const route of routes) {
    if (isBelow(prefix + route.path) && route.path.length > (best?.path.length ?? 0)) best = route;
  }
  if (!best) return { inner: (path.slice(prefix.length) || '/') + query, service: '' };
  if (best.service) return { inner: '', service: `${best.service.name}.shop.svc:${best.service.port}` };
  const below = path.slice(prefix.length + best.path.length);
  const to = best.to ?? '';
  const target = below === '' ? to : (to.endsWith('/') ? to.slice(0, -1) : to) + below;
  return { inner: target + query, service: '' };
}

const segments = fc.constantFrom('a', 'b', 'ab', 'a.b', 'v1', '~x');
const pathOf = (minLength: number) =>
  fc.array(segments, { minLength, maxLength: 3 }).map((parts) => parts.map((part) => `/${part}`).join(''));
const targets = fc.constantFrom('/', '/rpc/login', '/tasks', '/tasks/');
const routesOf = fc.uniqueArray(
  fc.oneof(
    fc.record({ path: pathOf(1), to: targets }),
    fc.record({ path: pathOf(1), service: fc.constant({ name: 'accounts', port: 8000 }) }),
  ),
  { selector: ({ path }) => path, maxLength: 5 },
);
const tails = fc.constantFrom('', '/', '?x=/a', '/?y', 'b', '/%61', '//a', '?', '/a?b?c');

test('the longest route that fits wins, whatever it leads to, and the query goes along', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', '/a', '/v1.0'),
      routesOf,
      pathOf(0),
      pathOf(0),
      tails,
      fc.boolean(),
      (prefix, routes, one, another, tail, isInside) => {
        const path = `${isInside ? prefix : ''}${one}${another}${tail}`;
        const uri = path.startsWith('/') ? path : `/${path}`;
        expect(mapped(prefix, routes, uri)).toEqual(reference(prefix, routes, uri));
      },
    ),
    { numRuns: 2000 },
  );
});

describe('before it starts, a gate reads from its pod', () => {
  test.each([
    [
      'the DNS server and where Services are',
      'search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
      "resolver 10.96.0.10 valid=5s;\nmap '' $services { default 'shop.svc.cluster.local'; }\n",
    ],
    [
      'all DNS servers, IPv6 among them, but none of one network interface; without an end of line too',
      '# here\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\nsearch corp.example shop.svc.k8s.corp\nnameserver fd00::a',
      "resolver 10.0.0.1 [fd00::a] valid=5s;\nmap '' $services { default 'shop.svc.k8s.corp'; }\n",
    ],
    ['nothing, where there is nothing, and starts all the same', '', "map '' $services { default ''; }\n"],
  ])('%s', async (_, resolvConf, expected) => {
    const folder = await mkdtemp(join(tmpdir(), 'pgrst-gate-'));
    try {
      const script = startScript
        .replace('/etc/resolv.conf', join(folder, 'resolv.conf'))
        .replace(resolverFile, join(folder, 'resolver.conf'));
      await writeFile(join(folder, 'resolv.conf'), resolvConf);
      await writeFile(join(folder, 'start.sh'), script);
      await writeFile(join(folder, 'nginx'), '#!/bin/sh\nprintf "%s|" "$@"\n', { mode: 0o755 });
      const { stdout, stderr } = await promisify(execFile)(
        '/bin/sh',
        [join(folder, 'start.sh'), '-g', 'daemon off;'],
        { env: { PATH: folder } },
      );
      expect(await readFile(join(folder, 'resolver.conf'), 'utf8')).toBe(expected);
      expect({ stdout, stderr }).toEqual({ stdout: '-g|daemon off;|', stderr: '' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
