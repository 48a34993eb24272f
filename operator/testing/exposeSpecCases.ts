import { accepted, durationForm, instanceWith, many, refused, type SpecCase } from './specCase.ts';

const i = (field: string, value: unknown) => instanceWith(`spec.expose.${field}`, value);
const routes = (...values: unknown[]) => i('routes', values);
const exactlyOne =
  'a route leads either to a path of PostgREST or to another Service: set exactly one of to and service';
const routePath = "a route's path begins with '/' and does not end with it";
const routeTo = 'to is a path of PostgREST: /, /rpc/<function> or /<relation>';
const originForm = 'an origin is a scheme, a host and perhaps a port';
const bodySizeForm = 'bodySize is a number of bytes, or of Ki, Mi or Gi';
const requestBounds = 'timeouts.request is at least 2s and at most 1h';
const order = 'timeouts.statement must be shorter than timeouts.request';
const gatewayNeeds = 'parentRefs belongs to router GatewayAPI, which needs it: set both or neither';
const nginxOnly = 'tls and rateLimit work with router IngressNginx only';
const parentRefs = [{ name: 'web', namespace: 'gateways', sectionName: 'http' }];
const gateway = { host: 'todo.example.com', router: 'GatewayAPI', parentRefs };
const service = { name: 'files', port: 8000 };

/** What is accepted and what is refused in `spec.expose` of an ApiInstance, beyond host, path and annotations. */
export const exposeCases: readonly SpecCase[] = [
  accepted(
    'routes to a function, a relation, the root and a Service',
    routes(
      { path: '/login', to: '/rpc/login' },
      { path: '/v1/items', to: '/tasks' },
      { path: '/openapi.json', to: '/' },
      { path: '/files', service },
    ),
  ),
  refused('a route that leads nowhere', routes({ path: '/login' }), { rule: exactlyOne }),
  refused('a route that leads to both', routes({ path: '/login', to: '/', service }), { rule: exactlyOne }),
  refused('two routes of one path', routes({ path: '/a', to: '/b' }, { path: '/a', to: '/c' }), {
    both: 'spec.expose.routes[1]: Duplicate value',
  }),
  ...['login', '/', '/login/', '/a//b', '/a/../b', '/a b', '/a?b', '/.hidden', '/(.*)', '/a;b', '/$x'].map(
    (path) =>
      refused(
        `a route from ${path}`,
        routes({ path, to: '/tasks' }),
        path === '/' ? { both: 'should be at least 2 chars long' } : { rule: routePath },
      ),
  ),
  ...['tasks', '/tasks?select=id', '/a b', '/$host', '/a"b', '/{x}'].map((to) =>
    refused(`a route to ${to}`, routes({ path: '/login', to }), { rule: routeTo }),
  ),
  refused('a route to a port by name', routes({ path: '/files', service: { name: 'files', port: 'http' } }), {
    both: 'must be of type integer',
  }),
  refused(
    'a route to a Service of another namespace',
    routes({ path: '/f', service: { ...service, namespace: 'x' } }),
    {
      server: 'unknown field "spec.expose.routes[0].service.namespace"',
    },
  ),
  refused('33 routes', routes(...Object.keys(many(33, (n) => `/r${n}`)).map((path) => ({ path, to: '/' }))), {
    both: 'must have at most 32 items',
  }),
  accepted('32 routes', routes(...Object.keys(many(32, (n) => `/r${n}`)).map((path) => ({ path, to: '/' })))),

  ...['2s', '1h', '60m', '2500ms'].map((request) =>
    accepted(`a request of ${request}`, i('timeouts', { request })),
  ),
  ...['0s', '1999ms', '1h1s', '2h', '99999h99999m'].map((request) =>
    refused(`a request of ${request}`, i('timeouts', { request }), { rule: requestBounds }),
  ),
  refused('a request of no duration', i('timeouts', { request: 'soon' }), { rule: durationForm }),
  accepted('a statement shorter than the default request', i('timeouts', { statement: '54s' })),
  accepted(
    'a statement shorter than a request of an hour',
    i('timeouts', { statement: '59m', request: '1h' }),
  ),
  refused('a statement as long as the default request', i('timeouts', { statement: '55s' }), { rule: order }),
  refused('a statement of an hour', i('timeouts', { statement: '1h' }), { rule: order }),
  refused('a statement longer than the request', i('timeouts', { statement: '1m', request: '59s' }), {
    rule: order,
  }),
  refused('a statement of 0s', i('timeouts', { statement: '0s' }), {
    rule: 'timeouts.statement must be longer than 0s; leave it out to have none',
  }),
  refused('a statement of no duration', i('timeouts', { statement: '5' }), { both: 'timeouts.statement' }),

  ...['1', '10Mi', '1Gi', '512Ki'].map((size) => accepted(`bodies of ${size}`, i('bodySize', size))),
  ...['0', '10M', '10 Mi', 'big', '1.5Mi', '-1'].map((size) =>
    refused(`bodies of ${size}`, i('bodySize', size), { rule: bodySizeForm }),
  ),
  refused('bodies of 10 without quotes', i('bodySize', 10), { both: 'must be of type string' }),

  accepted('a rate limit', i('rateLimit', { requestsPerSecond: 10 })),
  refused('a rate limit of nothing', i('rateLimit', {}), { both: 'requestsPerSecond: Required value' }),
  refused('a rate limit of 0', i('rateLimit', { requestsPerSecond: 0 }), {
    both: 'should be greater than or equal to 1',
  }),

  ...['https://app.example.com', 'http://localhost:5173'].map((origin) =>
    accepted(`the origin ${origin}`, i('cors', { allowOrigins: [origin] })),
  ),
  ...['app.example.com', '*', 'https://app.example.com/', 'https://a,https://b', 'ftp://a', 'https://'].map(
    (origin) => refused(`the origin ${origin}`, i('cors', { allowOrigins: [origin] }), { rule: originForm }),
  ),
  refused('no origin at all', i('cors', { allowOrigins: [] }), { both: 'should have at least 1 items' }),
  refused('the same origin twice', i('cors', { allowOrigins: ['http://a', 'http://a'] }), {
    server: 'spec.expose.cors.allowOrigins[1]: Duplicate value',
  }),

  accepted('TLS', i('tls', { secretName: 'todo-tls' })),
  refused('TLS without a Secret', i('tls', {}), { both: 'secretName: Required value' }),
  accepted('a preview', i('preview', { valueSecretRef: { name: 'preview', key: 'value' } })),
  refused('a preview without a Secret', i('preview', {}), { both: 'valueSecretRef: Required value' }),

  accepted('a Gateway', instanceWith('spec.expose', gateway)),
  refused('a router that there is not', i('router', 'Traefik'), {
    both: 'spec.expose.router: Unsupported value',
  }),
  refused('a Gateway of no name', i('router', 'GatewayAPI'), { rule: gatewayNeeds }),
  refused('a Gateway for ingress-nginx', i('parentRefs', parentRefs), { rule: gatewayNeeds }),
  refused('no Gateway in the list', instanceWith('spec.expose', { ...gateway, parentRefs: [] }), {
    both: 'should have at least 1 items',
  }),
  refused('TLS at a Gateway', instanceWith('spec.expose', { ...gateway, tls: { secretName: 'x' } }), {
    rule: nginxOnly,
  }),
  refused(
    'a rate limit at a Gateway',
    instanceWith('spec.expose', { ...gateway, rateLimit: { requestsPerSecond: 1 } }),
    { rule: nginxOnly },
  ),
];
