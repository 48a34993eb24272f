import { expect, test } from 'vitest';
import { instanceContent, owner } from '../testing/resourceCases.ts';
import { gateConfigMap, nginxConf } from './gate.ts';

const at = (path: string) => nginxConf(3, instanceContent({ expose: { host: 'todo.example.com', path } }));

/** The URI that PostgREST sees for what a client asked for: the map $inner_uri, by JavaScript's own expressions. */
function innerUri(path: string, requestUri: string): string {
  const map = /map (?:""|\$request_uri) \$inner_uri \{([^}]*)\}/.exec(at(path))?.[1] ?? '';
  if (map.includes('default $request_uri;')) return requestUri;
  for (const [, pattern = '', value = ''] of map.matchAll(/"~(.*)" (.*);/g)) {
    const match = new RegExp(pattern).exec(requestUri);
    if (match) return value.replace(/\$(\w+)/, (_, name: string) => match.groups?.[name] ?? '');
  }
  return '';
}

test.each([
  ['/', '/tasks?id=eq.1', '/tasks?id=eq.1'],
  ['/', '/%74asks', '/%74asks'],
  ['/api', '/api/tasks?x=/api/', '/tasks?x=/api/'],
  ['/api', '/api', '/'],
  ['/api', '/api?select=id', '/?select=id'],
  ['/api', '/api/api/x', '/api/x'],
  ['/api', '/apis/tasks', ''],
  ['/api', '/tasks', ''],
  ['/v1.0', '/v1x0/tasks', ''],
])('under the path %s a request for %s reaches PostgREST as "%s"', (path, requested, expected) => {
  expect(innerUri(path, requested)).toBe(expected);
});

test('a configuration differs between revisions only where they do', () => {
  const [three, four] = [at('/'), nginxConf(4, instanceContent())];
  const changed = three.split('\n').filter((line, index) => line !== four.split('\n')[index]);
  expect(changed).toEqual(['  map "" $revision { default "3"; }']);
});

test('all that clients can reach says who answered', () => {
  const conf = at('/');
  for (const header of ['X-Pgrst-Revision $revision', 'X-Pgrst-Release $release']) {
    expect(conf.split(`add_header ${header} always;`)).toHaveLength(3);
  }
});

test('the gate waits for PostgREST less long than ingress-nginx waits for the gate (60 s)', () => {
  expect(Number(/proxy_read_timeout (\d+)s/.exec(at('/'))?.[1])).toBeLessThan(60);
});

test('the configuration cannot be changed under running pods', () => {
  expect(gateConfigMap(owner, 3, instanceContent())).toMatchObject({ immutable: true });
});
