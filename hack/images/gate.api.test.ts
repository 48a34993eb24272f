// The gate's configuration in the nginx that its image has.
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { instanceContent, owner } from '../../operator/testing/resourceCases.ts';
import { createLog } from '../lib/log.ts';
import { freePorts } from '../lib/ports.ts';
import { removeScratch, scratchFolder } from '../lib/scratch.ts';
import { until } from '../lib/wait.ts';
import { startDns, unpackNginx, writeGate, type GatePorts, type Nginx } from './gateProcess.ts';
import { gate } from './parts.ts';

const services = 'shop.svc.cluster.local';
const servers: Server[] = [];
const addresses = new Map([
  [`accounts.${services}`, '127.0.0.2'],
  [`stopped.${services}`, '127.0.0.4'],
]);
let scratch: string;
let nginx: Nginx;
let ports: GatePorts;
let accounts: number;
let logFile: string;
let closeDns: () => void;

const content = () =>
  instanceContent({
    expose: {
      host: 'todo.example.com',
      path: '/todo',
      routes: [
        { path: '/auth', service: { name: 'accounts', port: accounts } },
        { path: '/auth/login', to: '/rpc/login' },
        { path: '/stopped', service: { name: 'stopped', port: accounts } },
        { path: '/nobody', service: { name: 'nobody', port: accounts } },
        { path: '/docs', to: '/' },
        { path: '/v1', to: '/' },
        { path: '/v1/people', to: '/persons' },
      ],
      timeouts: { request: '2s' },
      bodySize: '1Ki',
    },
  });

/** Answers what it was asked, but for what never ends. */
async function echo(name: string, port: number, address: string): Promise<void> {
  const server = createServer((incoming, outgoing) => {
    const { url, headers } = incoming;
    if (url?.endsWith('/slow')) return;
    incoming.resume();
    incoming.on('end', () => {
      outgoing.setHeader('Server', 'postgrest/16.4 (0123abc)');
      outgoing.setHeader('Location', '/persons?id=eq.1');
      outgoing.setHeader('Content-Location', '/persons');
      outgoing.end(JSON.stringify({ name, url, headers }));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    name?: string;
    url?: string;
    headers?: IncomingHttpHeaders;
    code?: string;
    message?: string;
  };
}

/** Paths go out byte for byte, which fetch would not do. A body without `length` is sent in chunks. */
function ask(
  path: string,
  headers: Record<string, string> = {},
  body?: { readonly text: string; readonly isChunked: boolean },
  port = ports.public,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body && !body.isChunked ? { 'Content-Length': String(body.text.length) } : {};
    const method = body ? 'POST' : 'GET';
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method,
      agent: false,
      headers: { Host: 'todo.example.com', ...headers, ...length },
    };
    const outgoing = request(options, (incoming) => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
      incoming.on('end', () => {
        const parsed = (text.startsWith('{') ? JSON.parse(text) : {}) as Answer['body'];
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: parsed });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body?.text);
  });
}

beforeAll(async () => {
  scratch = await scratchFolder('pgrst-test-gate-');
  const [publicPort = 0, admin = 0, postgrest = 0, port = 0] = await freePorts(4);
  ports = { public: publicPort, admin, postgrest };
  accounts = port;
  await echo('postgrest', postgrest, '127.0.0.1');
  await echo('accounts', accounts, '127.0.0.2');
  await echo('moved', accounts, '127.0.0.3');
  const dns = await startDns(addresses);
  closeDns = dns.close;
  const [layer = ''] = (await gate(createLog())).layers;
  nginx = await unpackNginx(layer, scratch);
  // As the start script writes it, but for the port and a shorter memory.
  const resolver = `resolver 127.0.0.1:${String(dns.port)} valid=1s;\nmap '' $services { default '${services}'; }\n`;
  const config = writeGate(join(scratch, 'gate'), owner, content(), ports, resolver);
  ({ logFile } = await nginx.start(config, admin));
  // The first time on a machine the packages of the image are fetched.
}, 15 * 60_000);

afterAll(async () => {
  await removeScratch(scratch);
  closeDns();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

describe('a request reaches PostgREST', () => {
  test.each([
    ['/todo/tasks?id=eq.1', '/tasks?id=eq.1'],
    ['/todo/auth/login', '/rpc/login'],
    ['/todo/auth/login?next=/x', '/rpc/login?next=/x'],
    ['/todo/auth/login/%2e?x', '/rpc/login/%2e?x'],
    ['/todo/docs', '/'],
    ['/todo/docs?x', '/?x'],
    ['/todo/v1/tasks/', '/tasks/'],
    ['/todo/v1/people/1?select=a,b', '/persons/1?select=a,b'],
    ['/todo/v1/peoples', '/peoples'],
    ['/todo/authors', '/authors'],
  ])('%s as %s', async (path, url) => {
    const { status, body, headers } = await ask(path, { 'Accept-Profile': 'api' });
    expect({ status, name: body.name, url: body.url }).toEqual({ status: 200, name: 'postgrest', url });
    expect(body.headers?.['accept-profile']).toBe('api_12ab34cd');
    expect(headers).toMatchObject({
      'x-pgrst-revision': '3',
      location: '/todo/persons?id=eq.1',
      'content-location': '/todo/persons',
    });
  });
});

test('the sentinel tells the version of PostgREST, and clients are told none', async () => {
  const { status, headers } = await ask('/sentinel', {}, undefined, ports.admin);
  expect({ status, version: headers['x-pgrst-version'], loaded: headers['x-pgrst-loaded'] }).toEqual({
    status: 200,
    version: '16.4',
    loaded: 'true',
  });
  expect((await ask('/todo/tasks')).headers['x-pgrst-version']).toBeUndefined();
});

describe('another Service', () => {
  test('gets a request as the client wrote it, and its answer goes back as it is', async () => {
    const { status, body, headers } = await ask('/todo/auth/%75sers?x=/../y', { 'Accept-Profile': 'api' });
    expect({ status, ...body }).toMatchObject({
      status: 200,
      name: 'accounts',
      url: '/todo/auth/%75sers?x=/../y',
    });
    expect(body.headers).toMatchObject({ host: 'todo.example.com', 'accept-profile': 'api' });
    expect(headers).toMatchObject({
      'x-pgrst-revision': '3',
      'x-pgrst-release': '12ab34cd',
      location: '/persons?id=eq.1',
      'content-location': '/persons',
    });
  });

  test('is counted and logged as all requests are', async () => {
    await ask('/todo/auth/counted');
    const text = await (await fetch(`http://127.0.0.1:${String(ports.admin)}/metrics`)).text();
    expect(text).toMatch(/pgrst_gate_requests_total\{revision="3",[^}]*code="200"\} [1-9]/);
    await until('the access log', () =>
      readFileSync(logFile, 'utf8').includes('"path":"/todo/auth/counted","status":200') ? true : undefined,
    );
  });

  test('is found again when it has moved', async () => {
    addresses.set(`accounts.${services}`, '127.0.0.3');
    const seen = async (): Promise<true | undefined> =>
      (await ask('/todo/auth')).body.name === 'moved' ? true : undefined;
    expect(await until('the new address', seen)).toBe(true);
  });

  test.each([
    ['nobody listens', '/todo/stopped/x'],
    ['nobody knows its name', '/todo/nobody'],
  ])('that is away is said to be: %s', async (_, path) => {
    const { status, body, headers } = await ask(path);
    expect({ status, code: body.code }).toEqual({ status: 502, code: 'GATE502' });
    expect(body.message).toContain('service');
    expect(headers['x-pgrst-revision']).toBe('3');
  });

  test('does not keep the gate from starting when there is no DNS server', async () => {
    const [publicPort = 0, admin = 0] = await freePorts(2);
    const own = { ...ports, public: publicPort, admin };
    const nobody = "map '' $services { default ''; }\n";
    await nginx.start(writeGate(join(scratch, 'without-dns'), owner, content(), own, nobody), admin);
    expect((await ask('/todo/tasks', {}, undefined, publicPort)).status).toBe(200);
    expect((await ask('/todo/auth', {}, undefined, publicPort)).body.code).toBe('GATE502');
  });
});

describe('a request that is too large or too slow', () => {
  const large = 'x'.repeat(1025);

  test.each([
    ['/todo/tasks', false],
    ['/todo/tasks', true],
    ['/todo/auth', false],
    ['/todo/auth', true],
  ])('is told so as PostgREST would: %s, in chunks: %s', async (path, isChunked) => {
    const { status, body, headers } = await ask(path, {}, { text: large, isChunked });
    expect({ status, body }).toEqual({
      status: 413,
      body: {
        code: 'GATE413',
        message: 'a request may have a body of 1Ki at most',
        details: null,
        hint: null,
      },
    });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-pgrst-revision': '3' });
    expect((await ask(path, {}, { text: large.slice(1), isChunked })).status).toBe(200);
  });

  test.each(['/todo/tasks/slow', '/todo/auth/slow'])(
    'is given up after timeouts.request: %s',
    async (path) => {
      const { status, body } = await ask(path);
      expect({ status, code: body.code }).toEqual({ status: 504, code: 'GATE504' });
    },
  );
});

test.each(['/', '/todo', '/todo/.pgrst-7c3ae1a4', '/todo/auth/x'])(
  'a probe of %s is answered by the gate',
  async (path) => {
    const { status, headers } = await ask(path, { 'X-Pgrst-Probe': '1' });
    expect({ status, revision: headers['x-pgrst-revision'] }).toEqual({ status: 204, revision: '3' });
  },
);

test.each(['/.gate/service', '/todo/../.gate/hold', '/.gate/hold'])(
  'nobody reaches %s from outside',
  async (path) => {
    expect((await ask(path)).status).toBe(404);
  },
);
